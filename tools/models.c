// SPDX-License-Identifier: MIT
// lectern models: the readers that can be plugged.
#include <stdio.h>

#include "rig/models.h"
#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command models_command = {
    "models",
    "list the reader models",
    "usage: lectern models [--models FILE] [--json]\n"
    "\n"
    "Lists the readers that --model and DEVICENAME's model= know: the built-in one and those of "
    "readers.tsv.\n"
    "\n"
    "  --models FILE    a table in the form of readers.tsv instead of the installed one\n"
    "  --json           print one JSON array\n",
    run,
};

// CCID 1.1 5.1: bMaxSlotIndex and dwFeatures within the class descriptor.
enum { MAX_SLOT_INDEX = 4, FEATURES = 40 };

static const char *level(const struct emu_model *model)
{
    switch (model->ccid[FEATURES + 2] & 7) {
    case 1:
        return "TPDU";
    case 2:
        return "short APDU";
    case 4:
        return "extended APDU";
    default:
        return "character";
    }
}

static void print_model(void *context, const struct emu_model *model)
{
    (void)context;
    int slots = model->ccid[MAX_SLOT_INDEX] + 1;
    (void)printf("%-40s %04X:%04X  %d slot%s  %-13s  ", model->name, model->vendor_id, model->product_id,
                 slots, slots == 1 ? " " : "s", level(model));
    (void)printf("%s%s%s\n", model->manufacturer, model->manufacturer[0] != '\0' ? " " : "", model->product);
}

static void add_model(void *context, const struct emu_model *model)
{
    char id[8];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", model->name);
    (void)snprintf(id, sizeof id, "%04X", model->vendor_id);
    cJSON_AddStringToObject(object, "vendorId", id);
    (void)snprintf(id, sizeof id, "%04X", model->product_id);
    cJSON_AddStringToObject(object, "productId", id);
    cJSON_AddNumberToObject(object, "slots", model->ccid[MAX_SLOT_INDEX] + 1);
    cJSON_AddStringToObject(object, "level", level(model));
    cJSON_AddStringToObject(object, "manufacturer", model->manufacturer);
    cJSON_AddStringToObject(object, "product", model->product);
    cJSON_AddItemToArray(context, object);
}

static int list(const struct command *command, const struct options *options)
{
    char error[512];
    cJSON *array = options->json ? cJSON_CreateArray() : NULL;
    int result =
        rig_models(options->models, array != NULL ? add_model : print_model, array, error, sizeof error);
    if (result != 0) {
        cJSON_Delete(array);
        return complain(command, EXIT_FAILED, "%s", error);
    }
    return array != NULL ? print_json(command, array) : EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "tj", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first < argc) {
        return complain(command, EXIT_USAGE, "'%s' is not expected, see `lectern models --help`",
                        argv[first]);
    }
    return list(command, &options);
}
