#!/usr/bin/env bash
# Installs what kinetune needs and this machine lacks, on Debian and its kin. Silent and quick when nothing is missing.
#
#   setup.sh             packages alone
#   setup.sh --native    and then a SUNDIALS built for this processor, in build/native
set -euo pipefail
if [[ $# -gt 1 || ($# -eq 1 && $1 != --native) ]]; then
  echo "setup: '$*' is no option; setup.sh [--native]" >&2
  exit 2
fi
finish() { [[ ${1:-} != --native ]] || bash "$(dirname "${BASH_SOURCE[0]}")/native_sundials.sh"; }

# package: what for
packages="
cmake: build system
ninja-build: build system
ccache: makes a second build quick
g++: C++23 compiler, version 12 or later
make: parts of the build
git: version in the result file
pkg-config: finds libraries that have no CMake files
libfmt-dev: text
libspdlog-dev: log
libxxhash-dev: checksums
librandom123-dev: random streams
libboost-dev: Sobol's sequence
libyaml-cpp-dev: PEtab and study files
libsbml5-dev: SBML
llvm-14-dev: machine code for the models
libedit-dev: asked for by LLVM
libxml2-dev: asked for by LLVM and libSBML
libzstd-dev: asked for by LLVM
zlib1g-dev: asked for by LLVM
libsundials-dev: CVODES, the integrator
libsuitesparse-dev: KLU, the sparse linear solver
liblapack-dev: eigenvalues
libpetsc-real-dev: TAO, the optimisers
libopenmpi-dev: MPI
openmpi-bin: mpirun
libhdf5-openmpi-dev: result files
libtorch-dev: generative models
libopenblas0-openmp: matrix products of the generative models, 20 times as fast as by the reference BLAS
libcli11-dev: command line
nlohmann-json3-dev: JSON output
libcereal-dev: compiled models as bytes, to send and to keep
libgtest-dev: tests
libgmock-dev: tests
libbenchmark-dev: benchmarks
clang-format-14: the layout test
python3: report
python3-numpy: report
python3-h5py: report
python3-matplotlib: report
python3-scipy: simulated data of the shipped problem
"

explain() {
  cat >&2 <<TEXT
$1
kinetune needs, by the names of Debian 12's packages:
$(sed '/^$/d; s/^\([^:]*\): \(.*\)/  \1\t\2/' <<<"$packages" | expand -t 24)
Where they are installed in places of their own, CMake is told so:
  CMAKE_PREFIX_PATH   folders that have lib/cmake (fmt, spdlog, yaml-cpp, SUNDIALS, Torch, CLI11, nlohmann_json, cereal, GTest, benchmark)
  PKG_CONFIG_PATH     folders with libsbml.pc, PETSc.pc and libxxhash.pc
  LLVM_DIR            the lib/cmake/llvm folder of LLVM 14
  HDF5_ROOT           HDF5, the build that PETSc uses
  MPI_HOME            the MPI that PETSc uses
as in
  cmake --preset release -DLLVM_DIR=/opt/llvm-14/lib/cmake/llvm -DCMAKE_PREFIX_PATH="/opt/sundials;/opt/fmt"
TEXT
}

mapfile -t names < <(sed -n 's/^\([^:]\+\):.*/\1/p' <<<"$packages")

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  explain "There is no apt here, so nothing was installed."
  exit 1
fi

# dpkg-query fails when it does not know a name; that name is then missing like the others.
installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${names[@]}" | sort) <(sed -n 's/^installed //p' <<<"$installed" | sort -u))
if [[ ${#missing[@]} -eq 0 ]]; then
  finish "$@"
  exit
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    explain "To install takes root or sudo, and here is neither. Missing: ${missing[*]}"
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
if ! "${as_root[@]}" apt-get update -qq ||
   ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
       apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null; then
  explain "apt could not install: ${missing[*]}"
  exit 1
fi
finish "$@"
