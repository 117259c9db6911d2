#!/usr/bin/env bash
# A study for each line of a list, each a job of its own. From the folder of kinetune:
#   sbatch --array=1-$(wc -l <list.txt) jobscripts/slurm_array.sh list.txt
# A line: OUTPUT.h5 PROBLEM.yaml [options of kinetune fit…], without blanks inside a word.
#SBATCH --job-name=kinetune-array
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail
source "${KINETUNE_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/slurm_study.sh"
read -ra study <<<"$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$1")"
if [[ ${#study[@]} -lt 2 ]]; then
  echo "$1: line $SLURM_ARRAY_TASK_ID is no OUTPUT.h5 PROBLEM.yaml" >&2
  exit 2
fi
run_study "${study[@]}"
