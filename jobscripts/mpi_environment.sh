# Sourced. For Open MPI on one machine: `cores` that this process may use, `ranks` (one a physical core of them),
# `mpirun_options`, and the environment of all processes.
# shellcheck shell=bash disable=SC2034

cores=$(env -u OMP_NUM_THREADS nproc)  # nproc would take that variable for the number of cores
# A container without /sys does not tell its cores apart from their threads.
ranks=$({ lscpu --parse=CORE,SOCKET 2>/dev/null || true; } | { grep -v '^#' || true; } | sort -u | wc -l)
if ((ranks == 0 || cores < ranks)); then ranks=$cores; fi
export OMP_NUM_THREADS=1  # the ranks are the parallelism

mpirun_options=(--bind-to none)  # two jobs on one machine would be bound to the same cores
export OMPI_MCA_btl_vader_single_copy_mechanism=none  # containers forbid reading another process's memory
if [[ $EUID -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
if ! mpirun "${mpirun_options[@]}" -n "$ranks" true 2>/dev/null; then
  mpirun_options+=(--oversubscribe)
fi
