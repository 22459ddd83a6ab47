# SPDX-License-Identifier: MIT
# WDM code: compiled against mingw-w64's DDK headers, for ELF through the shim in nthost/ddk, for PE as they are.
set(LECTERN_DDK /usr/share/mingw-w64/include CACHE PATH "mingw-w64's headers (Debian: mingw-w64-common)")

add_library(wdm INTERFACE)
target_compile_definitions(wdm INTERFACE _WIN32_WINNT=0x0601 NTDDI_VERSION=0x06010000)
target_compile_options(wdm INTERFACE -fshort-wchar -mms-bitfields -Wno-undef -Wno-unknown-pragmas -Wno-multichar)
if(WIN32)
  target_compile_options(wdm INTERFACE
    -O2 -ffreestanding -fno-stack-protector -mno-stack-arg-probe -fno-ident -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    target_compile_options(wdm INTERFACE -mno-red-zone)
  endif()
  target_include_directories(wdm SYSTEM INTERFACE ${LECTERN_DDK}/ddk)
else()
  # The shim must come before anything else that defines __stdcall or includes a C library header.
  target_compile_options(wdm INTERFACE "SHELL:-include ${CMAKE_SOURCE_DIR}/nthost/ddk/prefix.h")
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

function(wdm_image name objects def imports)
  set(entry DriverEntry)
  set(kill_at)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
    set(entry _DriverEntry@8)
    set(kill_at -Wl,--kill-at)
  endif()
  add_library(${name}_sys MODULE ${objects})
  set_target_properties(${name}_sys PROPERTIES
    PREFIX "" SUFFIX ".sys" OUTPUT_NAME ${name} LINKER_LANGUAGE C
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_options(${name}_sys PRIVATE
    -nostdlib -nostartfiles -Wl,--subsystem,native:6.1 -Wl,--entry,${entry} -Wl,--dynamicbase -Wl,--nxcompat
    -Wl,--exclude-all-symbols -Wl,--disable-auto-import -Wl,--no-insert-timestamp ${kill_at})
  set(libraries)
  foreach(import ${imports})
    add_dependencies(${name}_sys ${import}_import)
    list(APPEND libraries ${CMAKE_BINARY_DIR}/lib${import}.a)
  endforeach()
  target_link_libraries(${name}_sys PRIVATE ${def} ${libraries} usbd hal ntoskrnl gcc)
  if(def)
    set(import_def ${def})
    set(dlltool_flags)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
      set(dlltool_flags -k)
    endif()
    add_custom_command(
      OUTPUT ${CMAKE_BINARY_DIR}/lib${name}.a
      COMMAND ${LECTERN_DLLTOOL} ${dlltool_flags} -d ${import_def} -D ${name}.sys -l ${CMAKE_BINARY_DIR}/lib${name}.a
      DEPENDS ${import_def})
    add_custom_target(${name}_import DEPENDS ${CMAKE_BINARY_DIR}/lib${name}.a)
  endif()
endfunction()
