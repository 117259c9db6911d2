#!/usr/bin/env bash
# One study over CPU nodes and one rank beside a GPU, as a heterogeneous job. From the folder of kinetune:
#   sbatch jobscripts/slurm_gpu_group.sh OUTPUT.h5 PROBLEM.yaml [options of kinetune fit…]
# All ranks are in one MPI job; those of the last group see the GPU. Needs srun with PMIx.
#SBATCH --job-name=kinetune-gpu
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH hetjob
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --gpus=1
set -uo pipefail
source "${KINETUNE_ROOT:-$SLURM_SUBMIT_DIR}/jobscripts/slurm_study.sh"
export KINETUNE_LAUNCHER="srun --mpi=pmix --kill-on-bad-exit=1 --het-group=0,1"
run_study "$@"
