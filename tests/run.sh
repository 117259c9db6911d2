#!/usr/bin/env bash
# Set-up, build of everything, all tests. Ends with what ctest ends with, and with its exit code.
#   bash tests/run.sh [options of ctest, such as -R store]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash jobscripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target all all_verify_interface_header_sets

source jobscripts/mpi_environment.sh
ctest --preset release --parallel "$cores" --no-tests=error "$@"
