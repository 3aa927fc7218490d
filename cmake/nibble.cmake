# nibble_layer(NAME sources...): one folder of src/ as a static library `nibble_NAME`.
# nibble_isa_object(...):        one source compiled for one instruction set.
# nibble_test(NAME sources...):  one GoogleTest program; `ctest -L LABEL` runs a folder's tests.
# nibble_fuzzer(NAME LIBRARY sources...): one libFuzzer program of NAME.cpp and the sources; with
#                                NIBBLE_HARDENED a test that runs it for twenty seconds.

add_library(nibble_options INTERFACE)
target_include_directories(nibble_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(nibble_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
  -fno-math-errno
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_compile_definitions(nibble_options INTERFACE NIBBLE_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in std::string that cannot be (GCC bug 105651).
  target_compile_options(nibble_options INTERFACE -Wno-restrict)
endif()
if(NIBBLE_SANITIZE)
  target_compile_options(nibble_options INTERFACE
    -fsanitize=${NIBBLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nibble_options INTERFACE -fsanitize=${NIBBLE_SANITIZE})
endif()
if(NIBBLE_FUZZ)
  target_compile_options(nibble_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_custom_target(hardened COMMENT "The tests for sanitizers are built")
add_custom_target(fuzz_targets COMMENT "The fuzz targets are built")

function(nibble_layer name)
  add_library(nibble_${name} STATIC ${ARGN})
  target_link_libraries(nibble_${name} PUBLIC nibble_options)
endfunction()

# `./run test` builds the tests of these labels a second time (the target `hardened` of build/asan and
# build/tsan) and runs them there: those that face what comes from outside under the address and
# undefined behaviour sanitizers, with far more mutations of hostile files, and those about threads
# under the thread sanitizer.
set(NIBBLE_ASAN_LABELS base formats io text arch)
set(NIBBLE_TSAN_LABELS base)

# Registers a test program, as the build in build/FOLDER makes it, as the test FOLDER_NAME.
function(nibble_hardened_test name folder)
  file(RELATIVE_PATH place ${PROJECT_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
  add_test(NAME ${folder}_${name} COMMAND ${PROJECT_SOURCE_DIR}/build/${folder}/${place}/${name})
  set_tests_properties(${folder}_${name} PROPERTIES LABELS hardened TIMEOUT 900
    ENVIRONMENT "NIBBLE_MUTATIONS=200000")
endfunction()

function(nibble_test name)
  cmake_parse_arguments(ARG "SLOW" "LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} nibble_test_support)
  # What a test calls is optimized as it ships; the tests themselves only have to compile soon.
  target_compile_options(${name} PRIVATE -O1)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(labels ${ARG_LABEL})
  if(ARG_SLOW)
    list(APPEND labels slow)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${ARG_TIMEOUT})
  foreach(build asan tsan)
    string(TOUPPER NIBBLE_${build}_LABELS list)
    if(NOT ARG_LABEL IN_LIST ${list})
      continue()
    endif()
    if(PROJECT_BINARY_DIR MATCHES "/${build}$")
      add_dependencies(hardened ${name})
    elseif(NIBBLE_HARDENED)
      nibble_hardened_test(${name} ${build})
    endif()
  endforeach()
endfunction()

function(nibble_fuzzer name library)
  if(NIBBLE_FUZZ)
    add_executable(${name} ${name}.cpp ${ARGN})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE ${library})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${name})
  endif()
  if(NIBBLE_HARDENED)
    add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/build/fuzz/fuzz/${name}
      -max_total_time=20 -timeout=10 -rss_limit_mb=2048 -max_len=65536)
    set_tests_properties(${name} PROPERTIES LABELS hardened TIMEOUT 120)
  endif()
endfunction()
