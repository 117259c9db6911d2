# Every third-party library, found once. Debian 12's package is named beside each; jobscripts/setup.sh installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)                                         # libfmt-dev
find_package(spdlog REQUIRED)                                      # libspdlog-dev
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)       # libxxhash-dev
find_package(CLI11 REQUIRED)                                       # libcli11-dev
set(CMAKE_CUDA_STANDARD 17)  # a LibTorch with CUDA enables that language, for which CMake 3.25 has no 23
find_package(Torch REQUIRED)                                       # libtorch-dev
find_path(KINETUNE_RANDOM123_INCLUDE Random123/philox.h REQUIRED)  # librandom123-dev

# PETSc brings HDF5's OpenMPI build; one process must not load two builds of HDF5, so prefer that one everywhere.
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)                           # libhdf5-openmpi-dev

if(NOT KINETUNE_GENERATE_ONLY)
  find_package(MPI REQUIRED COMPONENTS CXX)                        # libopenmpi-dev
  find_package(LLVM 14 REQUIRED CONFIG)                            # llvm-14-dev
  set(native_sundials "${CMAKE_SOURCE_DIR}/build/native/lib/cmake/sundials")  # of jobscripts/setup.sh --native
  if(EXISTS "${native_sundials}/SUNDIALSConfig.cmake")
    set(SUNDIALS_DIR "${native_sundials}" CACHE PATH "" FORCE)
  endif()
  find_package(SUNDIALS REQUIRED COMPONENTS cvodes nvecserial)     # libsundials-dev
  find_package(yaml-cpp REQUIRED)                                  # libyaml-cpp-dev
  find_package(nlohmann_json REQUIRED)                             # nlohmann-json3-dev
  find_package(cereal REQUIRED)                                    # libcereal-dev
  pkg_check_modules(sbml REQUIRED IMPORTED_TARGET libsbml)         # libsbml5-dev
  pkg_check_modules(petsc REQUIRED IMPORTED_TARGET PETSc)          # libpetsc-real-dev
  find_path(KINETUNE_KLU_INCLUDE klu.h PATH_SUFFIXES suitesparse REQUIRED)  # libsuitesparse-dev
  find_library(KINETUNE_KLU_LIBRARY klu REQUIRED)
  find_path(KINETUNE_BOOST_INCLUDE boost/random/sobol.hpp REQUIRED)         # libboost-dev
  find_package(LAPACK REQUIRED)                                    # liblapack-dev
endif()

if(KINETUNE_TESTS)
  find_package(GTest REQUIRED)                                     # libgtest-dev, libgmock-dev
  find_package(benchmark REQUIRED)                                 # libbenchmark-dev
endif()
