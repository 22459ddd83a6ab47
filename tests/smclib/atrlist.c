// SPDX-License-Identifier: MIT
// What the library reads from ATRs: one in hex a line on standard input, one JSON object a line on standard
// output.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/smclib/kernel.h"
#include "tools/atrparse.h"

static unsigned read_hex(const char *text, unsigned char *bytes, unsigned capacity)
{
    unsigned count = 0;
    unsigned value;
    int used;

    while (count < capacity && sscanf(text, " %2x%n", &value, &used) == 1) {
        bytes[count++] = (unsigned char)value;
        text += used;
    }
    return count;
}

static void print_facts(const char *line, const struct AtrFacts *facts)
{
    printf("{\"atr\": \"%s\", \"status\": %u, \"inverse\": %u, \"negotiable\": %u, \"protocols\": %u, ", line,
           facts->Status, facts->Inverse, facts->Negotiable, facts->Supported);
    printf("\"f\": %u, \"d\": %u, \"n\": %u, \"ii\": %u, \"p\": %u, \"wi\": %u, ", facts->F,
           facts->DNumerator, facts->N, facts->Current, facts->Voltage, facts->WI);
    printf("\"ifsc\": %u, \"bwi\": %u, \"cwi\": %u, \"edc\": %u, \"historical\": \"", facts->IFSC, facts->BWI,
           facts->CWI, facts->EDC);
    for (unsigned i = 0; i < facts->HistoricalLength; i++) {
        printf("%02X", facts->Historical[i]);
    }
    puts("\"}");
}

int main(void)
{
    char line[512];

    kernel_boot();
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned char atr[64];
        struct AtrFacts facts;
        line[strcspn(line, "\n")] = '\0';
        AtrRead(atr, read_hex(line, atr, sizeof atr), &facts);
        print_facts(line, &facts);
    }
    kernel_shutdown();
    return EXIT_SUCCESS;
}
