# SPDX-License-Identifier: MIT
# lectern_test(NAME SOURCES files... [LIBS libraries...]): a cmocka program in plain C.
# lectern_wdm_test(NAME SOURCES files... [LIBS libraries...]): the same for WDM code, through support/wdmtest.h.
function(lectern_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name})
endfunction()

function(lectern_wdm_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  wdm_objects(${name}_objects ${arg_SOURCES})
  add_executable(${name} $<TARGET_OBJECTS:${name}_objects> $<TARGET_OBJECTS:wdmtest>)
  target_link_libraries(${name} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
