// SPDX-License-Identifier: MIT
// A good image, spoilt field by field, byte by byte and cut at every length: refused with one line, or
// harmless.
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/bytes.h"

enum place {
    AT_FILE,
    AT_HEADER,    // "PE\0\0"
    AT_OPTIONAL,  // the optional header
    AT_DIRECTORY, // data directory `index`
    AT_SECTION,   // section header `index`
    AT_TABLE,     // what data directory `index` points to
    AT_UNWIND,    // the UNWIND_INFO of the first function
};

enum { TEXT, RDATA, DATA, PDATA, RELOC }; // ldrseh.sys's sections
enum {
    EXPORTS = 0,
    IMPORTS = 1,
    EXCEPTIONS = 3,
    SECURITY = 4,
    RELOCATIONS = 5,
    TLS = 9,
    CONFIG = 10,
    DELAY = 13,
    CLR
};

struct spoil {
    enum place place;
    unsigned index;
    unsigned offset;
    unsigned size;
    uint64_t value;
    const char *text; // of the refusal, after the name
};

static const struct spoil spoils[] = {
    {AT_FILE, 0, 0, 2, 0x4d5a, "not a PE image: no MZ header"},
    {AT_FILE, 0, 0x3c, 4, 0, "not a PE image: e_lfanew 0 leads nowhere"},
    {AT_FILE, 0, 0x3c, 4, 0x41, "not a PE image: e_lfanew 0x41 leads nowhere"},
    {AT_FILE, 0, 0x3c, 4, 0x7ffffff8, "not a PE image: e_lfanew 0x7ffffff8 leads nowhere"},
    {AT_FILE, 0, 0x3c, 4, 0x40, "not a PE image: no PE signature"},
    {AT_HEADER, 0, 0, 4, 0x454e, "not a PE image: no PE signature"},
    {AT_HEADER, 0, 4, 2, 0x014c, "built for x86 (32 bit) (machine 014c), not for x86-64"},
    {AT_HEADER, 0, 4, 2, 0x01c4, "built for ARM (machine 01c4), not for x86-64"},
    {AT_HEADER, 0, 4, 2, 0xaa64, "built for ARM64 (machine aa64), not for x86-64"},
    {AT_HEADER, 0, 4, 2, 0x0200, "built for Itanium (machine 0200), not for x86-64"},
    {AT_HEADER, 0, 4, 2, 0, "built for an unknown machine (machine 0000), not for x86-64"},
    {AT_HEADER, 0, 6, 2, 0, "0 sections"},
    {AT_HEADER, 0, 6, 2, 97, "97 sections"},
    {AT_HEADER, 0, 6, 2, 96, "header size 0x400"},
    {AT_HEADER, 0, 6, 2, 6, "section  at 0 with 0 bytes overlaps or leaves the image"},
    {AT_HEADER, 0, 12, 8, 0x1000000000001000 | 0x100, "cut off: the symbol table is not all there"},
    {AT_HEADER, 0, 20, 2, 0, "optional header of 0 bytes for 16 directories"},
    {AT_HEADER, 0, 20, 2, 236, "optional header of 236 bytes for 16 directories"},
    {AT_HEADER, 0, 20, 2, 0xfffc, "optional header of 65532 bytes for 16 directories"},
    {AT_HEADER, 0, 22, 2, 0x20, "not marked executable: a link failed or this is an object file"},
    {AT_HEADER, 0, 22, 2, 0x23, "its relocations are stripped: it runs at one address only"},
    {AT_OPTIONAL, 0, 0, 2, 0x10b, "optional header magic 0x10b is not PE32+"},
    {AT_OPTIONAL, 0, 0, 2, 0x107, "optional header magic 0x107 is not PE32+"},
    {AT_OPTIONAL, 0, 16, 4, 0x2000, "entry point 0x2000 is not in code"},
    {AT_OPTIONAL, 0, 16, 4, 0x7fffffff, "entry point 0x7fffffff is not in code"},
    {AT_OPTIONAL, 0, 24, 8, 0x140001000, "image base 0x140001000"},
    {AT_OPTIONAL, 0, 32, 4, 0x200, "section alignment 0x200, only 0x1000 can be mapped"},
    {AT_OPTIONAL, 0, 32, 4, 0x2000, "section alignment 0x2000, only 0x1000 can be mapped"},
    {AT_OPTIONAL, 0, 36, 4, 0, "file alignment 0"},
    {AT_OPTIONAL, 0, 36, 4, 0x201, "file alignment 0x201"},
    {AT_OPTIONAL, 0, 36, 4, 0x10000, "file alignment 0x10000"},
    {AT_OPTIONAL, 0, 56, 4, 0, "image size 0"},
    {AT_OPTIONAL, 0, 56, 4, 0x6001, "image size 0x6001"},
    {AT_OPTIONAL, 0, 56, 4, 0xfffff000, "image size 0xfffff000"},
    {AT_OPTIONAL, 0, 56, 4, 0x5000, "data directory 5 lies outside the image"},
    {AT_OPTIONAL, 0, 60, 4, 0, "header size 0"},
    {AT_OPTIONAL, 0, 60, 4, 0x100, "header size 0x100"},
    {AT_OPTIONAL, 0, 60, 4, 0xffffffff, "header size 0xffffffff"},
    {AT_OPTIONAL, 0, 60, 4, 0x1800, "section .text at 0x1000 with 0x"},
    {AT_OPTIONAL, 0, 68, 2, 2, "subsystem 2: not a driver but a user-mode or firmware image"},
    {AT_OPTIONAL, 0, 68, 2, 3, "subsystem 3: not a driver but a user-mode or firmware image"},
    {AT_OPTIONAL, 0, 68, 2, 10, "subsystem 10: not a driver but a user-mode or firmware image"},
    {AT_OPTIONAL, 0, 108, 4, 17, "optional header of 240 bytes for 17 directories"},
    {AT_OPTIONAL, 0, 108, 4, 0xffffffff, "optional header of 240 bytes for 4294967295 directories"},
    {AT_DIRECTORY, EXPORTS, 0, 4, 0xffffff00, "data directory 0 lies outside the image"},
    {AT_DIRECTORY, EXPORTS, 0, 4, 0x5ff0, "data directory 0 lies outside the image"},
    {AT_DIRECTORY, EXPORTS, 0, 4, 0x200, "the export table is malformed"},
    {AT_DIRECTORY, IMPORTS, 4, 4, 0xffffffff, "data directory 1 lies outside the image"},
    {AT_DIRECTORY, IMPORTS, 0, 4, 0x3ff0, "the import directory leaves its section"},
    {AT_DIRECTORY, EXCEPTIONS, 0, 4, 0x3000, "the exception directory is malformed or writable"},
    {AT_DIRECTORY, EXCEPTIONS, 4, 4, 13, "the exception directory is malformed or writable"},
    {AT_DIRECTORY, SECURITY, 0, 8, 0x100000001000, "data directory 4 lies outside the image"},
    {AT_DIRECTORY, RELOCATIONS, 0, 4, 0, "the relocation table lies outside the sections"},
    {AT_DIRECTORY, TLS, 4, 4, 40, "uses thread local storage, which no driver may"},
    {AT_DIRECTORY, CONFIG, 0, 4, 0x100, "the load configuration leaves its section"},
    {AT_DIRECTORY, DELAY, 4, 4, 64, "uses delay imports, which no driver may"},
    {AT_DIRECTORY, CLR, 4, 4, 72, "uses .NET code, which no driver may"},
    {AT_SECTION, TEXT, 12, 4, 0x1010, "section .text at 0x1010 with 0x"},
    {AT_SECTION, TEXT, 12, 4, 0, "section .text at 0 with 0x"},
    {AT_SECTION, TEXT, 8, 4, 0x1001, "section .rdata at 0x2000 with 0x"},
    {AT_SECTION, RELOC, 8, 4, 0x1001,
     "section .reloc at 0x5000 with 0x1001 bytes overlaps or leaves the image"},
    {AT_SECTION, RDATA, 12, 4, 0xfffff000, "section .rdata at 0xfffff000 with 0x"},
    {AT_SECTION, DATA, 8, 4, 0xffffffff,
     "section .data at 0x3000 with 0xffffffff bytes overlaps or leaves the image"},
    {AT_SECTION, RELOC, 16, 4, 0x201, "cut off: section .reloc is not all there"},
    {AT_SECTION, TEXT, 20, 4, 0xffffff00, "cut off: section .text is not all there"},
    {AT_SECTION, TEXT, 36, 4, 0x20000020, "section .text is not readable"},
    {AT_SECTION, TEXT, 36, 4, 0x40000040, "entry point 0x"},
    {AT_SECTION, PDATA, 36, 4, 0xc0000040, "the exception directory is malformed or writable"},
    {AT_SECTION, RDATA, 36, 4, 0xc0000040, "unwind data of the function at 0x10"},
    {AT_TABLE, EXPORTS, 16, 4, 0x10000, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 20, 4, 0x7fffffff, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 20, 4, 1, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 24, 4, 0xffffffff, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 28, 4, 0x2ffc, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 32, 4, 0xfffffffc, "the export table is malformed"},
    {AT_TABLE, EXPORTS, 36, 4, 0x800, "the export table is malformed"},
    {AT_TABLE, IMPORTS, 0, 4, 0x2ffc, "the import table of ntoskrnl.exe leaves its section"},
    {AT_TABLE, IMPORTS, 0, 4, 0x2000, "an import from ntoskrnl.exe has no name"},
    {AT_TABLE, IMPORTS, 12, 4, 0, "import descriptor 0 has no module name"},
    {AT_TABLE, IMPORTS, 12, 4, 0x7000, "import descriptor 0 has no module name"},
    {AT_TABLE, IMPORTS, 16, 4, 0x5ffc, "the import table of ntoskrnl.exe leaves its section"},
    {AT_TABLE, EXCEPTIONS, 0, 4, 0xfffffff0, "unwind data of the function at 0xfffffff0 is malformed"},
    {AT_TABLE, EXCEPTIONS, 0, 4, 0x2000, "unwind data of the function at 0x2000 is malformed"},
    {AT_TABLE, EXCEPTIONS, 4, 4, 0, "unwind data of the function at 0x10"},
    {AT_TABLE, EXCEPTIONS, 4, 4, 0x1800, "unwind data of the function at 0x10"},
    {AT_TABLE, EXCEPTIONS, 4, 4, 0x7fffffff, "unwind data of the function at 0x10"},
    {AT_TABLE, EXCEPTIONS, 8, 4, 0x2001, "unwind data of the function at 0x10"},
    {AT_TABLE, EXCEPTIONS, 8, 4, 0x2ffc, "unwind data of the function at 0x10"},
    {AT_TABLE, EXCEPTIONS, 8, 4, 0x3000, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 0, 1, 0x00, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 0, 1, 0x03, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 0, 1, 0x29, "unwind data of the function at 0x10"}, // chained and a handler
    {AT_UNWIND, 0, 2, 1, 0xff, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 3, 1, 0x00,
     "unwind data of the function at 0x10"}, // sets a frame register it does not name
    {AT_UNWIND, 0, 5, 1, 0x0f, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 5, 1, 0x21, "unwind data of the function at 0x10"},
    {AT_UNWIND, 0, 12, 4, 0x2000, "unwind data of the function at 0x10"}, // the handler's RVA
    {AT_TABLE, RELOCATIONS, 0, 4, 0x2001, "relocation block at +0 is malformed"},
    {AT_TABLE, RELOCATIONS, 0, 4, 0x6000, "relocation block at +0 is malformed"},
    {AT_TABLE, RELOCATIONS, 0, 4, 0x5000, "relocation at 0x5058 lies outside the sections"},
    {AT_TABLE, RELOCATIONS, 4, 4, 7, "relocation block at +0 is malformed"},
    {AT_TABLE, RELOCATIONS, 4, 4, 9, "relocation block at +0 is malformed"},
    {AT_TABLE, RELOCATIONS, 4, 4, 0x10000000, "relocation block at +0 is malformed"},
    {AT_TABLE, RELOCATIONS, 8, 2, 0x3058, "relocation of type 3, x86-64 images have none"},
    {AT_TABLE, RELOCATIONS, 8, 2, 0xafff, "relocation at 0x2fff lies outside the sections"},
    {AT_TABLE, CONFIG, 0, 4, 0x7fffffff, "the load configuration leaves its section"},
    {AT_TABLE, CONFIG, 0x58, 8, 0x140002000, "the security cookie is not in writable data"},
    {AT_TABLE, CONFIG, 0x58, 8, 0x140003001, "the security cookie is not in writable data"},
    {AT_TABLE, CONFIG, 0x58, 8, 0x8, "the security cookie is not in writable data"},
};

static struct bytes good;
static uint8_t *copy;

static uint32_t header_offset(void)
{
    return read_u32(good.data + 0x3c);
}

static uint8_t *section_header(unsigned index)
{
    return copy + header_offset() + 24 + read_u16(good.data + header_offset() + 20) + (size_t)index * 40;
}

static uint8_t *file_at(uint32_t rva)
{
    for (unsigned i = 0; i < read_u16(good.data + header_offset() + 6); i++) {
        uint32_t start = read_u32(section_header(i) + 12);
        if (rva >= start && rva < start + read_u32(section_header(i) + 16)) {
            return copy + read_u32(section_header(i) + 20) + (rva - start);
        }
    }
    fail_msg("no section holds %#x", rva);
    return NULL;
}

static uint8_t *place_of(const struct spoil *spoil)
{
    uint8_t *optional = copy + header_offset() + 24;
    uint8_t *directory = optional + 112 + (size_t)spoil->index * 8;
    switch (spoil->place) {
    case AT_FILE:
        return copy;
    case AT_HEADER:
        return copy + header_offset();
    case AT_OPTIONAL:
        return optional;
    case AT_DIRECTORY:
        return directory;
    case AT_SECTION:
        return section_header(spoil->index);
    case AT_TABLE:
        return file_at(read_u32(directory));
    default:
        return file_at(read_u32(file_at(read_u32(optional + 112 + (size_t)EXCEPTIONS * 8)) + 8));
    }
}

static int setup(void **state)
{
    (void)state;
    kernel_reset();
    good = read_image("lld/ldrseh.sys");
    copy = malloc(good.length);
    memcpy(copy, good.data, good.length);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(good.data);
    free(copy);
    return 0;
}

// Whatever comes, it is one printable line or a module that can be unloaded. A copy of exactly `length` bytes
// lets AddressSanitizer see reads beyond it.
static int try_load(const uint8_t *data, size_t length, char text[LOADER_LINE])
{
    loader_module *module = NULL;
    struct loader_error error = {0};
    uint8_t *exact = malloc(length + 1);
    memcpy(exact + 1, data, length);
    int result = loader_load_memory(exact + 1, length, "x.sys", &module, &error);
    free(exact);
    if (result == 0) {
        assert_non_null(module);
        assert_int_equal(loader_unload(module), 0);
    } else {
        assert_null(module);
        assert_memory_equal(error.text, "x.sys: ", 7);
        assert_null(strchr(error.text, '\n'));
        assert_true(strlen(error.text) < LOADER_LINE - 1);
    }
    memcpy(text, error.text, LOADER_LINE);
    loader_error_clear(&error);
    return result;
}

static void test_good(void **state)
{
    (void)state;
    char text[LOADER_LINE];
    assert_int_equal(try_load(good.data, good.length, text), 0);
}

static void test_spoilt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        const struct spoil *spoil = &spoils[i];
        char text[LOADER_LINE];
        memcpy(copy, good.data, good.length);
        uint8_t *at = place_of(spoil) + spoil->offset;
        memcpy(at, &spoil->value, spoil->size);
        int result = try_load(copy, good.length, text);
        if (result != -ENOEXEC || strncmp(text + 7, spoil->text, strlen(spoil->text)) != 0) {
            fail_msg("spoil %zu (wants \"%s\"): %d \"%s\"", i, spoil->text, result, text);
        }
    }
}

static void check_truncated(const char *name, const char *library)
{
    char text[LOADER_LINE];
    loader_module *needed = library != NULL ? load_image(library) : NULL;
    struct bytes bytes = read_image(name);
    assert_int_equal(try_load(bytes.data, bytes.length, text), 0);
    for (size_t length = 0; length < bytes.length; length++) {
        if (try_load(bytes.data, length, text) != -ENOEXEC) {
            fail_msg("%s is accepted with %zu of %zu bytes", name, length, bytes.length);
        }
    }
    free(bytes.data);
    if (needed != NULL) {
        assert_int_equal(loader_unload(needed), 0);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    check_truncated("lld/ldrseh.sys", NULL);
    check_truncated("mingw/ldruse.sys", "mingw/ldrlib.sys");
}

static void test_every_byte(void **state)
{
    (void)state;
    static const uint8_t masks[] = {0xff, 0x80, 0x01};
    char text[LOADER_LINE];
    for (size_t at = 0; at < good.length; at++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            copy[at] = good.data[at] ^ masks[i];
            (void)try_load(copy, good.length, text);
        }
        copy[at] = good.data[at];
    }
}

// Chained unwind data that leads back to itself.
static void test_chain_loop(void **state)
{
    (void)state;
    char text[LOADER_LINE];
    uint8_t *function = file_at(read_u32(copy + header_offset() + 24 + 112 + (size_t)EXCEPTIONS * 8));
    uint8_t *info = file_at(read_u32(function + 8));
    info[0] = 1 | 4 << 3;
    info[2] = 0;
    memmove(info + 4, function, 12);
    assert_int_equal(try_load(copy, good.length, text), -ENOEXEC);
    assert_non_null(strstr(text, "x.sys: unwind data of the function at "));
}

// A forwarder that leads back to itself binds to nothing, it does not hang.
static void test_forward_loop(void **state)
{
    (void)state;
    static const char forward[] = "ntoskrnl.HostAdd";
    struct bytes bytes = read_image("mingw/ldrlib.sys");
    loader_module *module = NULL;
    struct loader_error error = {0};
    bool found = false;
    for (size_t i = 0; !found && i + sizeof forward <= bytes.length; i++) {
        if (memcmp(bytes.data + i, forward, sizeof forward) == 0) {
            memcpy(bytes.data + i, "l.LibForward\0...", sizeof forward);
            found = true;
        }
    }
    assert_true(found);
    assert_int_equal(loader_load_memory(bytes.data, bytes.length, "l.sys", &module, &error), 0);
    assert_null(loader_export(module, "LibForward", 0));
    assert_non_null(loader_export(module, "LibAdd", 0));
    assert_int_equal(loader_unload(module), 0);
    free(bytes.data);
}

static void test_limits(void **state)
{
    (void)state;
    loader_module *modules[LOADER_MODULES + 1];
    struct loader_error error = {0};
    struct bytes bytes = read_image("mingw/ldrlib.sys");
    char name[80];
    for (int i = 0; i <= LOADER_MODULES; i++) {
        snprintf(name, sizeof name, "%d.sys", i);
        int result = loader_load_memory(bytes.data, bytes.length, name, &modules[i], &error);
        assert_int_equal(result, i < LOADER_MODULES ? 0 : -ENOSPC);
    }
    for (int i = 0; i < LOADER_MODULES; i++) {
        assert_int_equal(loader_unload(modules[i]), 0);
    }
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(loader_load_memory(bytes.data, bytes.length, name, &modules[0], &error), -ENAMETOOLONG);
    free(bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spoilt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chain_loop, setup, teardown),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_forward_loop),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("loader image", tests, kernel_start, kernel_stop);
}
