# How a test file becomes a ctest entry. Included by tests/CMakeLists.txt.
include(GoogleTest)

# For tests in Python.
find_program(ZPOST_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
mark_as_advanced(ZPOST_PYTHON)

set(ZPOST_TEST_LABELS unit sim integration bench zmq fuzz programs threads)

# Seconds a single test may take, by its first label. Sanitized builds are slower.
set(zpost_timeout_unit 20)
set(zpost_timeout_sim 60)
set(zpost_timeout_integration 60)
set(zpost_timeout_bench 120)

# What tools/test.sh builds with the thread sanitizer, and with the others.
add_custom_target(zpost_thread_tests)
add_custom_target(zpost_checked_tests)
add_custom_target(zpost_programs)  # The programs, and tests with the label programs.

# zpost_test(NAME SOURCES … LABEL unit|sim|integration|bench [zmq] [threads] [LIBS …]
#            [TIMEOUT seconds] [WHOLE])
#
# A GoogleTest program; each TEST in it becomes one ctest entry NAME.Suite.Sentence. The label
# programs: of a program's own sources, which tools/test.sh checks in the build users get.
# rapidcheck is linked. Add the label zmq when it uses libzmq, and threads when it does not and
# there are threads in what it tests: those the thread sanitizer sees.
# The environment variable ZPOST_BIN tells it where zpost-broker and its like are.
# WHOLE: one ctest entry for the whole program, for many tiny cases. With a sanitizer, which makes
# the start of a process expensive, unit tests without libzmq are always so.
function(zpost_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE" "TIMEOUT" "SOURCES;LABEL;LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zpost_test(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()

  add_executable(${name} ${arg_SOURCES})
  if(programs IN_LIST arg_LABEL)
    # In the build that users get; the tests themselves are compiled for longer than they run.
    target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0>)
  endif()
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test-bin)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE
    ${arg_LIBS} zpost_options GTest::gmock GTest::gtest_main rapidcheck Threads::Threads)

  if(ZPOST_SANITIZE AND "unit" IN_LIST arg_LABEL AND NOT "zmq" IN_LIST arg_LABEL)
    set(arg_WHOLE TRUE)
    if(NOT arg_TIMEOUT)
      set(arg_TIMEOUT 60)
    endif()
  endif()
  zpost_test_properties(${name} properties "${arg_LABEL}" "${arg_TIMEOUT}")
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties})
  else()
    gtest_discover_tests(${name}
      TEST_PREFIX ${name}.
      DISCOVERY_MODE PRE_TEST
      DISCOVERY_TIMEOUT 60)

    # Its own PROPERTIES argument tears lists apart, and with them a second label. ctest reads
    # this file after the discovered tests, whose names are then in NAME_TESTS.
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake)
    file(CONFIGURE OUTPUT ${file} @ONLY CONTENT [[
foreach(test IN LISTS @name@_TESTS)
  set_tests_properties("${test}" PROPERTIES @properties@)
endforeach()
]])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file})
  endif()

  if(programs IN_LIST arg_LABEL)
    add_dependencies(zpost_programs ${name})
  else()
    add_dependencies(zpost_checked_tests ${name})
  endif()
  if(threads IN_LIST arg_LABEL)
    add_dependencies(zpost_thread_tests ${name})
  endif()
endfunction()

# zpost_script_test(NAME COMMAND program arg… LABEL … [TIMEOUT seconds] [COST seconds])
#
# A test in another language: passes when it exits 0. The label programs: it needs the real
# programs, all of them. COST: about how long it takes; the longest begin first, so that the last of
# them is not waited for.
function(zpost_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;COST" "COMMAND;LABEL")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zpost_script_test(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()

  zpost_test_properties(${name} properties "${arg_LABEL}" "${arg_TIMEOUT}")
  if(arg_COST)
    list(APPEND properties COST ${arg_COST})
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ${properties})
endfunction()

# zpost_fuzz(NAME SOURCES … CORPUS directory [LIBS …])
#
# SOURCES define LLVMFuzzerTestOneInput. Under the preset fuzz NAME is a libFuzzer
# program (CONTRIBUTING.md, "Tests"). Everywhere else a small driver runs each file of
# the corpus once, as an ordinary test with the labels unit and fuzz.
function(zpost_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "zpost_fuzz(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(ABSOLUTE_PATH arg_CORPUS BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})

  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test-bin)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} zpost_options)

  set(run_once)
  if(ZPOST_SANITIZE STREQUAL "fuzzer")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(run_once -runs=0)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_driver.cpp)
  endif()

  zpost_test_properties(${name} properties "unit;fuzz" "")
  add_test(NAME ${name} COMMAND ${name} ${run_once} ${arg_CORPUS})
  set_tests_properties(${name} PROPERTIES ${properties})
  add_dependencies(zpost_checked_tests ${name})
endfunction()

# Sets `out` in the caller to the PROPERTIES of a test with these labels.
function(zpost_test_properties name out labels timeout)
  if(NOT labels)
    message(FATAL_ERROR "test ${name}: say LABEL unit, sim, integration or bench")
  endif()
  foreach(label IN LISTS labels)
    if(NOT label IN_LIST ZPOST_TEST_LABELS)
      message(FATAL_ERROR "test ${name}: label ${label} is none of ${ZPOST_TEST_LABELS}")
    endif()
  endforeach()

  list(GET labels 0 first)
  if(NOT timeout)
    set(timeout ${zpost_timeout_${first}})
  endif()
  if(ZPOST_SANITIZE)
    math(EXPR timeout "${timeout} * 3")
  endif()

  set(properties TIMEOUT ${timeout} ENVIRONMENT ZPOST_BIN=${PROJECT_BINARY_DIR}/bin)
  if(first STREQUAL "bench")
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  string(REPLACE ";" "\\;" labels "${labels}")
  list(APPEND properties LABELS "${labels}")
  set(${out} "${properties}" PARENT_SCOPE)
endfunction()
