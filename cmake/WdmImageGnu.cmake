# SPDX-License-Identifier: MIT
# Images by mingw-w64: what is shipped.
list(APPEND LECTERN_IMAGE_COMPILE_OPTIONS -mno-stack-arg-probe -fno-ident)
set(LECTERN_ENTRY GuardDriverEntry)
set(LECTERN_KILL_AT)
set(LECTERN_DLLTOOL_FLAGS)
if(LECTERN_X86)
  set(LECTERN_ENTRY _GuardDriverEntry@8)
  set(LECTERN_KILL_AT -Wl,--kill-at)
  set(LECTERN_DLLTOOL_FLAGS -k)
endif()

# NAME.debug: the unstripped image. The clock is stopped, since strip would write the time into the image.
function(wdm_strip name)
  add_custom_command(TARGET ${name}_sys POST_BUILD
    COMMAND ${LECTERN_OBJCOPY} --only-keep-debug ${name}.sys ${name}.debug
    COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=0 ${LECTERN_STRIP} ${name}.sys
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
endfunction()

function(wdm_image name objects def imports)
  set(guard $<TARGET_OBJECTS:guard_objects>)
  if(def)
    list(APPEND guard $<TARGET_OBJECTS:guardlibrary_objects>)
  endif()
  add_library(${name}_sys MODULE ${objects} ${guard} $<TARGET_OBJECTS:${name}_resources>)
  set_target_properties(${name}_sys PROPERTIES
    PREFIX "" SUFFIX ".sys" OUTPUT_NAME ${name} LINKER_LANGUAGE C
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} LINK_DEPENDS "${def}")
  target_link_options(${name}_sys PRIVATE
    -nostdlib -nostartfiles -Wl,--subsystem,native:6.1 -Wl,--entry,${LECTERN_ENTRY} -Wl,--dynamicbase -Wl,--nxcompat
    -Wl,--wdmdriver -Wl,--exclude-all-symbols -Wl,--disable-auto-import -Wl,--no-insert-timestamp ${LECTERN_KILL_AT})
  set(libraries)
  foreach(import ${imports})
    add_dependencies(${name}_sys ${import}_import)
    list(APPEND libraries ${CMAKE_BINARY_DIR}/lib${import}.a)
  endforeach()
  target_link_libraries(${name}_sys PRIVATE ${def} ${libraries} usbd hal ntoskrnl gcc)
  wdm_strip(${name})
  if(def)
    add_custom_command(
      OUTPUT ${CMAKE_BINARY_DIR}/lib${name}.a
      COMMAND ${LECTERN_DLLTOOL} ${LECTERN_DLLTOOL_FLAGS} -d ${def} -D ${name}.sys -l ${CMAKE_BINARY_DIR}/lib${name}.a
      DEPENDS ${def})
    add_custom_target(${name}_import DEPENDS ${CMAKE_BINARY_DIR}/lib${name}.a)
  endif()
endfunction()
