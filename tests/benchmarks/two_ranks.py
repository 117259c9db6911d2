#!/usr/bin/env python3
"""How much faster are two ranks than one? `two_ranks.py --program kinetune --problem problem.yaml [--starts 200]`

Runs the same study with one rank and with two, in turn, several times, and prints the ratio of the medians of the wall
times, the idle share of the ranks, and the machine's load before each run: with other work on the machine the ratio says
nothing. Wall times are those of the whole command, loading and compiling included. What two cores that share caches, power
and neighbours can do at all is measured beside it: two one-rank studies at once, each with half of the starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import h5py


def start(options: argparse.Namespace, ranks: int, n_starts: int, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["mpirun", "--bind-to", "none", "--oversubscribe", "-n", str(ranks), options.program, "fit",
                             options.problem, "--starts", str(n_starts), "-o", file, "--force", *options.fit_option],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})


def end(job: subprocess.Popen[bytes]) -> None:
    if job.wait() != 0:
        raise SystemExit(f"exit code {job.returncode}: {job.args}")


def run(options: argparse.Namespace, ranks: int, file: Path) -> tuple[float, float]:
    """Wall seconds, and the share of the ranks' time that was idle."""
    load = os.getloadavg()[0]
    begin = time.perf_counter()
    end(start(options, ranks, options.starts, file))
    seconds = time.perf_counter() - begin
    with h5py.File(file) as run_file:
        busy, idle = (run_file[f"ranks/{name}_seconds"][:].sum() for name in ("busy", "idle"))
    print(f"{ranks} ranks: {seconds:.2f} s, {idle / (busy + idle):.1%} idle, load before {load:.1f}", flush=True)
    return seconds, idle / (busy + idle)


def run_apart(options: argparse.Namespace, folder: Path) -> float:
    """Wall seconds of two one-rank studies at once."""
    begin = time.perf_counter()
    for job in [start(options, 1, options.starts // 2, folder / f"apart{i}.h5") for i in range(2)]:
        end(job)
    seconds = time.perf_counter() - begin
    print(f"apart: {seconds:.2f} s", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--problem", type=Path, required=True)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--fit-option", nargs="*", default=[], help="more options of fit, such as --fit-option=--lanes=1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds = [(run(options, 1, folder / "one.h5"), run(options, 2, folder / "two.h5"), run_apart(options, folder))
                  for _ in range(options.repeat)]
    one, two = (statistics.median(each[i][0] for each in rounds) for i in (0, 1))
    apart = statistics.median(each[2] for each in rounds)
    print(f"two ranks take {two / one:.2f} of the time of one, two studies of half the size at once {apart / one:.2f}; "
          f"idle {max(each[1][1] for each in rounds):.1%} at most")


if __name__ == "__main__":
    main()
