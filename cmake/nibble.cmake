# nibble_layer(NAME sources...): one folder of src/ as a static library `nibble_NAME`.
# nibble_isa_object(...):        one source compiled for one instruction set.
# nibble_test(NAME sources...):  one GoogleTest program; `ctest -L LABEL` runs a folder's tests.
# nibble_fuzz(NAME sources...):  one libFuzzer program; with NIBBLE_HARDENED a test that runs it shortly.

add_library(nibble_options INTERFACE)
target_include_directories(nibble_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(nibble_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
  -fno-math-errno
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_compile_definitions(nibble_options INTERFACE NIBBLE_VERSION="${PROJECT_VERSION}")
if(NIBBLE_SANITIZE)
  target_compile_options(nibble_options INTERFACE
    -fsanitize=${NIBBLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nibble_options INTERFACE -fsanitize=${NIBBLE_SANITIZE})
endif()
if(NIBBLE_FUZZ)
  target_compile_options(nibble_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_custom_target(hardened COMMENT "The tests of NIBBLE_HARDENED_LABELS are built")
add_custom_target(fuzz_targets COMMENT "The fuzz targets are built")

function(nibble_layer name)
  add_library(nibble_${name} STATIC ${ARGN})
  target_link_libraries(nibble_${name} PUBLIC nibble_options)
endfunction()

# Tests of these labels face what comes from outside. `./run test` builds them in build/asan too (its
# target `hardened`) and runs them there, with far more mutations of hostile files.
set(NIBBLE_HARDENED_LABELS base formats io text arch)

function(nibble_test name)
  cmake_parse_arguments(ARG "SLOW" "LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} nibble_test_support)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(labels ${ARG_LABEL})
  if(ARG_SLOW)
    list(APPEND labels slow)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${ARG_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "^SKIPPED ALL")
  if(ARG_LABEL IN_LIST NIBBLE_HARDENED_LABELS)
    if(NIBBLE_SANITIZE)
      add_dependencies(hardened ${name})
    elseif(NIBBLE_HARDENED)
      file(RELATIVE_PATH folder ${PROJECT_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
      add_test(NAME sanitized_${name} COMMAND ${PROJECT_SOURCE_DIR}/build/asan/${folder}/${name})
      set_tests_properties(sanitized_${name} PROPERTIES LABELS hardened TIMEOUT 900
        ENVIRONMENT "NIBBLE_MUTATIONS=200000")
    endif()
  endif()
endfunction()

function(nibble_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NIBBLE_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${name})
  endif()
  if(NIBBLE_HARDENED)
    add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/build/fuzz/fuzz/${name}
      -max_total_time=20 -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1)
    set_tests_properties(${name} PROPERTIES LABELS hardened TIMEOUT 120)
  endif()
endfunction()
