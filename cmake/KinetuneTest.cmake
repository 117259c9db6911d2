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
    # Tests run side by side: OpenMP's threads would wait for each other by spinning.
    set_tests_properties(${target} PROPERTIES TIMEOUT 600
      ENVIRONMENT "KINETUNE_CACHE=${CMAKE_BINARY_DIR}/cache;OMP_NUM_THREADS=1")
  endif()
endfunction()

# kinetune_python_tests(folder test_a test_b …)
#
# Tests <folder>.<test> with Python's unittest. They need a Python that has h5py, matplotlib and SciPy, which
# tests/analysis looks for, and are skipped without one.
function(kinetune_python_tests folder)
  foreach(test IN LISTS ARGN)
    set(name ${folder}.${test})
    if(KINETUNE_ANALYSIS_PYTHON)
      add_test(NAME ${name} COMMAND "${KINETUNE_ANALYSIS_PYTHON}" -B -m unittest -v ${test}
               WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    else()
      add_test(NAME ${name} COMMAND "${CMAKE_COMMAND}" -E echo "skipped: no Python with h5py, matplotlib and SciPy")
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT 1200 SKIP_REGULAR_EXPRESSION "skipped: no Python;skipped 'Slurm"
      ENVIRONMENT "KINETUNE_PROGRAM=$<TARGET_FILE:kinetune>;KINETUNE_TRAIN_PROGRAM=$<TARGET_FILE:kinetune-train>;KINETUNE_MPIRUN=${MPIEXEC_EXECUTABLE};KINETUNE_SLOW_DISK=$<TARGET_FILE:slow_disk>")
  endforeach()
endfunction()
