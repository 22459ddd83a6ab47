# SPDX-License-Identifier: MIT
# Warnings are errors everywhere; -Wno-* only where a system header or the language of the DDK leaves no choice.
add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
  -Wvla -Wundef -Werror=incompatible-pointer-types -fno-strict-aliasing -fno-common)

if(LECTERN_SANITIZE)
  add_compile_options(-fsanitize=${LECTERN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LECTERN_SANITIZE})
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # CTL_CODE shifts into the sign bit; gcc reports it, clang knows it is a constant.
    add_compile_options(-fno-sanitize=shift)
  endif()
endif()
if(LECTERN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link
    "-fsanitize-coverage-ignorelist=${CMAKE_SOURCE_DIR}/fuzz/uninstrumented.txt")
endif()
