# Helpers for the targets of this project: a library, and a test.

# sylvite_library(NAME SOURCES file... [PUBLIC target...] [PRIVATE target...])
# A static library with the project's warnings, its folder's parent as include path, and the alias sylvite::NAME.
function(sylvite_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(sylvite_${name} STATIC ${ARG_SOURCES})
  add_library(sylvite::${name} ALIAS sylvite_${name})
  target_link_libraries(sylvite_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} sylvite::options)
  target_include_directories(sylvite_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
endfunction()

# sylvite_test(NAME LABEL SOURCES file... LINK target...)
# One GoogleTest executable, registered with ctest under the label of its folder.
function(sylvite_test name label)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main GTest::gmock sylvite::options)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${label})
endfunction()
