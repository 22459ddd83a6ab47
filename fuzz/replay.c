// SPDX-License-Identifier: MIT
// Runs every file of a corpus folder through a fuzz target once, where libFuzzer's own main is not linked in.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int replay(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        perror(path);
        return -1;
    }
    // Exactly as long as the input, so that a sanitizer sees the first byte behind it.
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size + (size == 0));
    int result = data != NULL && fread(data, 1, size, file) == size ? 0 : -1;
    fclose(file);
    if (result == 0) {
        LLVMFuzzerTestOneInput(data, size);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return result;
}

static int replay_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        perror(folder);
        return -1;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (replay(path) != 0) {
            count = -1;
            break;
        }
        count++;
    }
    closedir(listing);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    if (LLVMFuzzerInitialize != NULL) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    int count = replay_folder(argv[1]);
    printf("%d inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
