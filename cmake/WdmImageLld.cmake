# SPDX-License-Identifier: MIT
# Images in MSVC style: /GS cookies, unwind tables, a load configuration, and a PDB for WinDbg.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-resource-dir
  OUTPUT_VARIABLE LECTERN_CLANG OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
# mingw's headers ask for a GNU compiler; its intrin.h must give way to clang's own.
add_compile_options(-fgnuc-version=4.2.1 -fms-extensions)
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES ${LECTERN_CLANG}/include ${LECTERN_DDK})
list(APPEND LECTERN_IMAGE_COMPILE_OPTIONS -funwind-tables)

# wdm_import(NAME def): NAME.lib in the build folder.
function(wdm_import name def)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/${name}.lib
    COMMAND ${LECTERN_DLLTOOL} -m i386:x86-64 -d ${def} -l ${CMAKE_BINARY_DIR}/${name}.lib
    DEPENDS ${def})
  add_custom_target(${name}_import DEPENDS ${CMAKE_BINARY_DIR}/${name}.lib)
endfunction()

# The system's import libraries, from the list of what may be imported.
set(ddis ${CMAKE_SOURCE_DIR}/packaging/windows/ddi.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ddis})
foreach(module ntoskrnl.exe hal.dll usbd.sys)
  file(STRINGS ${ddis} names REGEX "^${module} [^ ]+( x64)?$")
  list(TRANSFORM names REPLACE "^${module} ([^ ]+).*" "\\1")
  list(JOIN names "\n" names)
  cmake_path(GET module STEM stem)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${stem}.def CONTENT "LIBRARY ${module}\nEXPORTS\n${names}\n")
  wdm_import(${stem} ${CMAKE_BINARY_DIR}/${stem}.def)
endforeach()

function(wdm_image name objects def imports)
  set(guard $<TARGET_OBJECTS:guard_objects>)
  set(def_flag)
  if(def)
    list(APPEND guard $<TARGET_OBJECTS:guardlibrary_objects>)
    set(def_flag /def:${def})
    wdm_import(${name} ${def})
  endif()
  set(libraries)
  foreach(import ${imports} usbd hal ntoskrnl)
    list(APPEND libraries ${CMAKE_BINARY_DIR}/${import}.lib)
  endforeach()
  set(objects ${objects} ${guard} $<TARGET_OBJECTS:${name}_resources>)
  set(image ${CMAKE_BINARY_DIR}/${name})
  add_custom_command(
    OUTPUT ${image}.sys ${image}.pdb
    COMMAND ${LECTERN_LLD_LINK} /driver:wdm /subsystem:native,6.01 /entry:GuardDriverEntry /nodefaultlib /machine:x64
      /dynamicbase /nxcompat /Brepro /opt:ref /debug /pdb:${image}.pdb /pdbaltpath:${name}.pdb ${def_flag}
      /out:${image}.sys /implib:${image}_link.lib ${objects} ${libraries}
    DEPENDS ${objects} ${libraries} ${def}
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_sys ALL DEPENDS ${image}.sys)
endfunction()
