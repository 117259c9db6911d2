# kinetune_test(module SOURCES test_a.cpp … LINK kinetune::… [RANKS 1 2 4])
#
# One test program a module: bin/test_<module>. With RANKS it runs under mpirun once for each number of ranks.
function(kinetune_test module)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;RANKS")
  set(target test_${module})
  add_executable(${target} ${arg_SOURCES})
  target_compile_options(${target} PRIVATE ${KINETUNE_WARNINGS})
  target_compile_definitions(${target} PRIVATE KINETUNE_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                               KINETUNE_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${arg_LINK} GTest::gmock)
  if(arg_RANKS)
    target_link_libraries(${target} PRIVATE MPI::MPI_CXX)
    foreach(ranks IN LISTS arg_RANKS)
      add_test(NAME ${target}.n${ranks}
               COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} --oversubscribe --allow-run-as-root
                       $<TARGET_FILE:${target}>)
      set_tests_properties(${target}.n${ranks} PROPERTIES PROCESSORS 2 TIMEOUT 300)
    endforeach()
  else()
    target_link_libraries(${target} PRIVATE GTest::gtest_main)
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES TIMEOUT 600 ENVIRONMENT KINETUNE_CACHE=${CMAKE_BINARY_DIR}/cache)
  endif()
endfunction()
