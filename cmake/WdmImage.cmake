# SPDX-License-Identifier: MIT
# The PE half of Wdm.cmake. Images are stripped (NAME.debug or NAME.pdb keeps the names), have stack cookies, and the
# same tree gives the same bytes.
# wdm_image(NAME objects def imports): NAME.sys, and with def its import library, from what Wdm.cmake collected.
set(LECTERN_IMAGE_COMPILE_OPTIONS
  -O2 -ffreestanding -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)
set(LECTERN_IMAGE_INCLUDES ${LECTERN_DDK}/ddk)
find_program(LECTERN_WINDMC NAMES x86_64-w64-mingw32-windmc i686-w64-mingw32-windmc REQUIRED)

set(LECTERN_X86 OFF)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
  set(LECTERN_X86 ON)
endif()
if(LECTERN_X86)
  # Exceptions are not unwound by tables there, and nothing else of the image needs them.
  list(APPEND LECTERN_IMAGE_COMPILE_OPTIONS -fno-asynchronous-unwind-tables -fno-unwind-tables)
else()
  list(APPEND LECTERN_IMAGE_COMPILE_OPTIONS -mno-red-zone)
endif()

if(CMAKE_C_SIMULATE_ID STREQUAL "MSVC")
  include(WdmImageLld)
else()
  include(WdmImageGnu)
endif()
