# SPDX-License-Identifier: MIT
# WDM code: compiled against mingw-w64's DDK headers, for ELF through the shim in nthost/ddk, for PE as they are.
set(LECTERN_DDK /usr/share/mingw-w64/include CACHE PATH "mingw-w64's headers (Debian: mingw-w64-common)")

add_library(wdm INTERFACE)
target_compile_definitions(wdm INTERFACE _WIN32_WINNT=0x0601 NTDDI_VERSION=0x06010000)
target_compile_options(wdm INTERFACE -fshort-wchar -mms-bitfields -Wno-undef -Wno-unknown-pragmas -Wno-multichar)
if(WIN32)
  include(WdmImage)
  target_compile_options(wdm INTERFACE ${LECTERN_IMAGE_COMPILE_OPTIONS})
  target_include_directories(wdm SYSTEM INTERFACE ${LECTERN_IMAGE_INCLUDES})
else()
  # The shim must come before anything else that defines __stdcall or includes a C library header.
  target_compile_options(wdm INTERFACE "SHELL:-include '${CMAKE_SOURCE_DIR}/nthost/ddk/prefix.h'")
  target_include_directories(wdm SYSTEM INTERFACE
    ${CMAKE_SOURCE_DIR}/nthost/ddk ${LECTERN_DDK}/ddk ${LECTERN_DDK})
endif()

# wdm_objects(NAME sources...): WDM code as an object library.
function(wdm_objects name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PRIVATE wdm)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
endfunction()

# wdm_driver(NAME ENTRY symbol OBJECTS targets... [DEF file] [IMPORTS libraries...])
# Native: all drivers live in one process, so DriverEntry is renamed to ENTRY and NAME_native is a static library.
# PE: NAME.sys, an image of the native subsystem; with DEF also its import library.
function(wdm_driver name)
  cmake_parse_arguments(arg "" "ENTRY;DEF" "OBJECTS;IMPORTS" ${ARGN})
  set(objects)
  foreach(target ${arg_OBJECTS})
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
    if(NOT WIN32)
      target_compile_definitions(${target} PRIVATE DriverEntry=${arg_ENTRY})
    endif()
  endforeach()
  if(WIN32)
    wdm_image(${name} "${objects}" "${arg_DEF}" "${arg_IMPORTS}")
  else()
    add_library(${name}_native STATIC ${objects})
    set_target_properties(${name}_native PROPERTIES LINKER_LANGUAGE C)
  endif()
endfunction()
