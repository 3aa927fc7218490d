# nibble_layer(NAME sources...): one folder of src/ as a static library `nibble_NAME`.
# nibble_isa_object(...):        one source compiled for one instruction set.
# nibble_test(NAME sources...):  one GoogleTest program; `ctest -L LABEL` runs a folder's tests.

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

function(nibble_layer name)
  add_library(nibble_${name} STATIC ${ARGN})
  target_link_libraries(nibble_${name} PUBLIC nibble_options)
endfunction()

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
endfunction()
