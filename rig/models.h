// SPDX-License-Identifier: MIT
// Reader models: the built-in default and the rows of readers.tsv.
#pragma once
#include "emulator/emulator.h"

#define RIG_DEFAULT_MODEL "Lectern"

const struct emu_model *rig_default_model(void);

// `path` NULL: the table beside the program, in the install prefix or in the source tree, whichever is there
// first. The default model needs no table. 0; -ENOENT: no such model; other negative errno: the table cannot
// be read, and `error` says which line of which file.
int rig_model_find(const char *path, const char *name, struct emu_model *model, char *error,
                   size_t error_size);

typedef void rig_model_visitor(void *context, const struct emu_model *model);
// The default model, then every row.
int rig_models(const char *path, rig_model_visitor *visitor, void *context, char *error, size_t error_size);
