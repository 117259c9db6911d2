#!/usr/bin/env bash
# One study over the cores of one or more nodes. From the folder of kinetune:
#   sbatch [--ntasks N] [--time T] jobscripts/slurm_cpu.sh OUTPUT.h5 PROBLEM.yaml [options of kinetune fit…]
#SBATCH --job-name=kinetune
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail
source "${KINETUNE_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/slurm_study.sh"
run_study "$@"
