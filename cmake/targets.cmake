# ptq_library(NAME folder HEADERS a.h ... FILES a.cpp ... DEPENDS targets...): the library of
# src/<folder>. HEADERS are those that other folders of src may include beside the public ones of
# include/ptq/<folder>; all others are private (tests/architecture checks both).
# ptq_test(NAME folder FILES a_test.cpp ... DEPENDS targets...): the tests of tests/<folder>.

add_library(ptq_warnings INTERFACE)
target_compile_options(
  ptq_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                         $<$<BOOL:${PTQ_WARNINGS_AS_ERRORS}>:-Werror>)
# No contraction of a*b+c and no errno from nearbyint: the arithmetic stays what the source says,
# and still vectorises.
target_compile_options(ptq_warnings INTERFACE -ffp-contract=off -fno-math-errno -fno-trapping-math)
add_library(ptq::warnings ALIAS ptq_warnings)

# LibTorch's tensor header takes seconds to parse; every target reuses this one.
add_library(ptq_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
target_link_libraries(ptq_precompiled PRIVATE ptq::warnings ptq::torch OpenMP::OpenMP_CXX)
set(PTQ_PRECOMPILED_HEADERS <ATen/core/Tensor.h> <algorithm> <cstdint> <functional> <map> <memory> <optional>
                            <string> <unordered_map> <variant> <vector>)
target_precompile_headers(ptq_precompiled PRIVATE ${PTQ_PRECOMPILED_HEADERS})

# ptq_page_template(room): page/page.html, page.css and page.js of src/<room> as ptq::<room>::kPageTemplate
# (report/html_template.h), in page_template.cpp. All pages begin with the styles of common.css.
function(ptq_page_template PTQ_ROOM)
  file(READ page/page.html PTQ_PAGE_HTML)
  set(common ${PROJECT_SOURCE_DIR}/src/report/page/common.css)
  file(READ ${common} PTQ_COMMON_STYLE)
  file(READ page/page.css PTQ_PAGE_STYLE)
  file(READ page/page.js PTQ_PAGE_SCRIPT)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/page_template.cpp.in page_template.cpp @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${common} page/page.html page/page.css page/page.js)
endfunction()

function(ptq_library)
  cmake_parse_arguments(ARG "" "NAME" "HEADERS;FILES;DEPENDS" ${ARGN})
  add_library(ptq_${ARG_NAME} STATIC ${ARG_HEADERS} ${ARG_FILES})
  add_library(ptq::${ARG_NAME} ALIAS ptq_${ARG_NAME})
  target_include_directories(ptq_${ARG_NAME} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                    $<INSTALL_INTERFACE:include>
                             PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(ptq_${ARG_NAME} PUBLIC ${ARG_DEPENDS} ptq::torch OpenMP::OpenMP_CXX
                        PRIVATE $<BUILD_INTERFACE:ptq::warnings>)
  target_precompile_headers(ptq_${ARG_NAME} REUSE_FROM ptq_precompiled)
endfunction()

# The program is one ctest test: LibTorch takes half a second to load. BY_CASE makes each case one,
# so that those that are skipped show; cases that one of the patterns after SLOW matches (as
# GoogleTest's filter does) are labelled LABEL_slow (one word: CMake takes a list of labels apart).
function(ptq_test)
  cmake_parse_arguments(ARG "BY_CASE" "NAME;LABEL" "FILES;DEPENDS;SLOW" ${ARGN})
  add_executable(${ARG_NAME}_test ${ARG_FILES})
  target_link_libraries(${ARG_NAME}_test PRIVATE ${ARG_DEPENDS} ptq::warnings ptq::torch
                                                 OpenMP::OpenMP_CXX GTest::gtest GTest::gtest_main)
  target_precompile_headers(${ARG_NAME}_test REUSE_FROM ptq_tests_precompiled)
  if(ARG_BY_CASE)
    # On a busy machine LibTorch takes more than the five seconds that CMake gives a list.
    set(discovery DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 300 NO_PRETTY_VALUES TEST_PREFIX "${ARG_NAME}.")
    list(JOIN ARG_SLOW ":" slow)
    gtest_discover_tests(${ARG_NAME}_test ${discovery} TEST_FILTER "-${slow}" PROPERTIES LABELS "${ARG_LABEL}"
                                                                                         TIMEOUT 900)
    if(ARG_SLOW)
      gtest_discover_tests(${ARG_NAME}_test ${discovery} TEST_FILTER "${slow}" TEST_LIST ${ARG_NAME}_slow
                           PROPERTIES LABELS "${ARG_LABEL}_slow" TIMEOUT 900)
    endif()
  else()
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME}_test)
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 900)
  endif()
endfunction()
