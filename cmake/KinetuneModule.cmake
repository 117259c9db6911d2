# kinetune_module(name SOURCES a.cpp … HEADERS a.hpp … PUBLIC core … PRIVATE LLVM …)
#
# One module is one folder of src/, one static library kinetune_<name> with the alias kinetune::<name>, and one
# verified header set: every header must compile alone (target all_verify_interface_header_sets).

# g++ 12 sees overlapping memcpy in std::string's operator+ where there is none (GCC bug 105651).
set(KINETUNE_WARNINGS -Wall -Wextra $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

function(kinetune_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  set(target kinetune_${name})
  set(scope PUBLIC)
  set(public PUBLIC)
  set(private PRIVATE)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_compile_options(${target} PRIVATE ${KINETUNE_WARNINGS})
  else()
    add_library(${target} INTERFACE)
    set(public INTERFACE)
    set(private INTERFACE)
  endif()
  add_library(kinetune::${name} ALIAS ${target})
  target_sources(${target} ${public} FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${arg_HEADERS})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(${target} ${public} cxx_std_23)
  target_link_libraries(${target} ${public} ${arg_PUBLIC} ${private} ${arg_PRIVATE})
endfunction()
