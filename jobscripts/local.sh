#!/usr/bin/env bash
# Set-up, build, a fit of the shipped problem on all cores of this machine, and its report.
#   bash jobscripts/local.sh [--starts N] [--seed S] [-o FILE.h5] [--force]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

starts=40
seed=1
output=$root/out/serine-$(date +%Y%m%d-%H%M%S)/serine.h5
extra=()
usage() { sed -n '3s/^# *//p' "$0" >&2; exit 2; }
while [[ $# -gt 0 ]]; do
  case $1 in
    --starts) [[ $# -ge 2 ]] || usage; starts=$2; shift 2 ;;
    --seed) [[ $# -ge 2 ]] || usage; seed=$2; shift 2 ;;
    -o) [[ $# -ge 2 ]] || usage; output=$(realpath -m "$2"); shift 2 ;;
    --force) extra+=(--force); shift ;;
    *) usage ;;
  esac
done

cd "$root"
bash jobscripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target kinetune

source jobscripts/mpi_environment.sh
mkdir -p "$(dirname "$output")"
mpirun "${mpirun_options[@]}" -n "$ranks" build/release/bin/kinetune fit inputs/serine/serine.yaml \
  --starts "$starts" --seed "$seed" -o "$output" "${extra[@]}"

echo "results: $output"
python3 analysis/report.py "$output"
