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

# Kills an srun that does not return although its ranks have ended: that of Slurm 22.05, of Debian 12, may wait for ever at
# the end of a heterogeneous job with PMIx, where two of its threads join the same third one.
#   kill_left_over LAUNCHER OUTPUT.h5
kill_left_over() {
  local launcher=$1 output=$2 begin=$EPOCHSECONDS absent=0 steps
  local patience=90  # polls without a step, some minutes: ranks may have ended before a poll has seen them
  while sleep $((EPOCHSECONDS - begin < 60 ? 1 : 15)) && kill -0 "$launcher" 2>/dev/null; do
    steps=$(squeue --noheader --steps --jobs="$SLURM_JOB_ID" --format=%i) || continue
    if grep -qvE '\.(batch|extern)$' <<<"${steps:-.batch}"; then
      patience=5 absent=0
      continue
    fi
    if [[ -f $output && $(stat -c %Y "$output") -ge $begin ]]; then patience=5; fi
    if [[ $((++absent)) -ge $patience ]]; then
      echo "the ranks have ended, srun has not: killing it" >&2
      kill -KILL "$launcher"
    fi
  done
}

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
  local job=$! watch=
  if [[ ${launcher[0]} == srun ]]; then
    kill_left_over $job "$output" &
    watch=$!
  fi
  trap 'warned=1; kill -USR1 $job' USR1
  trap 'kill -TERM $job' TERM
  # wait returns at each signal; the job may take some seconds to end.
  while kill -0 $job 2>/dev/null; do wait $job && code=0 || code=$?; done
  trap - USR1 TERM
  [[ -z $watch ]] || kill $watch 2>/dev/null

  # A launcher that was killed cannot tell how the program ended; a session of no time does, complete (0) or not (3).
  if [[ $code -eq 137 && $warned -eq 0 && -f $output ]]; then
    "$kinetune" fit --resume "$output" --max-time 0
    code=$?
  fi

  # 3 is the program's; a launcher may kill ranks that end last, and has a code of its own.
  if [[ $warned -eq 1 && $code -gt 2 ]]; then
    echo "time limit: job $SLURM_JOB_ID goes back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
  fi
  return $code
}
