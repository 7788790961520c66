# How every target of the tree is made: warnings and sanitizers in one place, and a room as a
# library whose links are its permissions.

add_library(agentd_warnings INTERFACE)
target_compile_options(agentd_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  # GCC 12 sees string concatenations that leave their bounds where none do (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow>
  $<$<BOOL:${AGENTD_WERROR}>:-Werror>)

if(AGENTD_SANITIZE)
  add_compile_options(-fsanitize=${AGENTD_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${AGENTD_SANITIZE})
  # What the test presets name as the place of reports: a sanitizer that cannot write there ends the program.
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/reports)
endif()
if(AGENTD_SANITIZE MATCHES "thread")
  # ThreadSanitizer does not see fences. Asio's strands and reactors synchronise by more than their fences.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()

# How many times longer than usual a test may take.
set(AGENTD_PATIENCE 1)
if(AGENTD_SANITIZE)
  set(AGENTD_PATIENCE 4)
endif()

if(AGENTD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
endif()

# agentd_precompiled_flavour(NAME HEADER LINK lib...): compiles HEADER once, for agentd_precompiled.
function(agentd_precompiled_flavour name header)
  cmake_parse_arguments(FLAVOUR "" "" "LINK" ${ARGN})
  add_library(agentd_precompiled_${name} OBJECT ${CMAKE_SOURCE_DIR}/scripts/cmake/precompiled.cpp)
  # The same warnings as everywhere: -Wpedantic changes which macros there are.
  target_link_libraries(agentd_precompiled_${name} PRIVATE ${FLAVOUR_LINK} agentd_warnings)
  target_precompile_headers(agentd_precompiled_${name} PRIVATE ${CMAKE_SOURCE_DIR}/scripts/cmake/${header})
endfunction()

# Reading the headers of the standard library, Boost.Asio and nlohmann/json takes longer than the rest.
# Two flavours: code that may end up in a shared object, and tests, which read Catch2 as well.
if(AGENTD_PRECOMPILE)
  agentd_precompiled_flavour(library precompiled.hpp)
  if(AGENTD_TESTS)
    agentd_precompiled_flavour(test precompiled_test.hpp LINK Catch2::Catch2)
    set_target_properties(agentd_precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endif()

# agentd_precompiled(TARGET FLAVOUR): uses the precompiled headers, where the build has them.
function(agentd_precompiled target flavour)
  if(NOT AGENTD_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM agentd_precompiled_${flavour})
  if(flavour STREQUAL "test")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endfunction()

# agentd_room(NAME SOURCES file... [PUBLIC lib...] [PRIVATE lib...])
# Makes the static library agentd_NAME, with the alias agentd::NAME.
function(agentd_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(agentd_${name} STATIC ${ROOM_SOURCES})
  add_library(agentd::${name} ALIAS agentd_${name})
  target_include_directories(agentd_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(agentd_${name}
    PUBLIC ${ROOM_PUBLIC}
    PRIVATE ${ROOM_PRIVATE} $<BUILD_INTERFACE:agentd_warnings>)
  set_target_properties(agentd_${name} PROPERTIES EXPORT_NAME ${name})
  agentd_precompiled(agentd_${name} library)
endfunction()

# agentd_time_limit(TEST SECONDS): fails the test when it takes longer; sanitizers may take a multiple.
function(agentd_time_limit test seconds)
  math(EXPR limit "${seconds} * ${AGENTD_PATIENCE}")
  set_tests_properties(${test} PROPERTIES TIMEOUT ${limit})
endfunction()

# agentd_again_with_loops(TEST SECONDS COMMAND...): the same test as TEST.four_loops, for servers of four loops.
function(agentd_again_with_loops test seconds)
  add_test(NAME ${test}.four_loops COMMAND ${ARGN})
  agentd_time_limit(${test}.four_loops ${seconds})
  set_property(TEST ${test}.four_loops APPEND PROPERTY ENVIRONMENT AGENTD_TEST_LOOPS=4)
endfunction()

# agentd_unit_test(NAME SOURCES file... LINK lib...): a Catch2 program, one CTest test a test case.
function(agentd_unit_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${TEST_LINK} agentd_test_main agentd_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  agentd_precompiled(${name} test)
  add_test(NAME ${name} COMMAND ${name})
  agentd_time_limit(${name} 120)
endfunction()

# agentd_loads_plugins(TARGET): lets the plugins that this program loads find in it what they leave open,
# all of the vocabulary, whether or not the program itself uses it.
function(agentd_loads_plugins target)
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
  target_link_options(${target} PRIVATE
    "LINKER:--whole-archive,$<TARGET_FILE:agentd_vocabulary>,--no-whole-archive")
  add_dependencies(${target} agentd_vocabulary)
endfunction()
