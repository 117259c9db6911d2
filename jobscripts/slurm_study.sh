# Sourced by the Slurm jobs. Runs a study, or goes on with it where its run file is there already; when Slurm warns of
# the time limit, stops it in order and puts the job back into the queue, which then goes on with it.
# shellcheck shell=bash
#
#   run_study OUTPUT.h5 PROBLEM.yaml [options of kinetune fit…]
#
# What may change when a study goes on (more --starts, limits) may be given anew; --force starts again.
#
# KINETUNE: the program; otherwise the one built here. KINETUNE_LAUNCHER: what starts the ranks; otherwise Open MPI's
# mpirun, which takes the ranks and nodes from Slurm.

root=${KINETUNE_ROOT:-$SLURM_SUBMIT_DIR}
kinetune=${KINETUNE:-$root/build/release/bin/kinetune}
export OMP_NUM_THREADS=1  # the ranks are the parallelism

run_study() {
  local output=$1 warned=0 code=0 force=() study=() option
  shift
  for option in "$@"; do
    if [[ $option == --force ]]; then force=(--force); else study+=("$option"); fi
  done
  if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]]; then force=(); fi  # the file is this job's own
  if [[ -f $output && ${#force[@]} -eq 0 ]]; then
    study+=(--resume "$output")  # refuses options that are not the study's
  else
    study+=(-o "$output" "${force[@]}")
  fi

  local launcher
  read -ra launcher <<<"${KINETUNE_LAUNCHER:-mpirun --bind-to none -n $SLURM_NTASKS}"
  "${launcher[@]}" "$kinetune" fit "${study[@]}" &
  local job=$!
  trap 'warned=1; kill -USR1 $job' USR1
  trap 'kill -TERM $job' TERM
  # wait returns at each signal; the job may take some seconds to end.
  while kill -0 $job 2>/dev/null; do wait $job && code=0 || code=$?; done
  trap - USR1 TERM

  # 3 is the program's; a launcher may kill ranks that end last, and has a code of its own.
  if [[ $warned -eq 1 && $code -gt 2 ]]; then
    echo "time limit: job $SLURM_JOB_ID goes back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
  fi
  return $code
}
