#!/usr/bin/env python3
"""How much faster are two ranks than one? `two_ranks.py --program kinetune --problem problem.yaml [--starts 200]`

Runs the same study with one rank and with two, in turn, several times, and prints the ratio of the medians of the wall
times, the idle share of the ranks, and the machine's load before each run: with other work on the machine the ratio says
nothing. Wall times are those of the whole command, loading and compiling included.
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


def run(options: argparse.Namespace, ranks: int, file: Path) -> tuple[float, float]:
    """Wall seconds, and the share of the ranks' time that was idle."""
    load = os.getloadavg()[0]
    begin = time.perf_counter()
    subprocess.run(["mpirun", "--bind-to", "none", "--oversubscribe", "-n", str(ranks), options.program, "fit",
                    options.problem, "--starts", str(options.starts), "-o", file, "--force"], check=True,
                   capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    seconds = time.perf_counter() - begin
    with h5py.File(file) as run_file:
        busy, idle = (run_file[f"ranks/{name}_seconds"][:].sum() for name in ("busy", "idle"))
    print(f"{ranks} ranks: {seconds:.2f} s, {idle / (busy + idle):.1%} idle, load before {load:.1f}", flush=True)
    return seconds, idle / (busy + idle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--problem", type=Path, required=True)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(run(options, 1, Path(folder) / "one.h5"), run(options, 2, Path(folder) / "two.h5"))
                 for _ in range(options.repeat)]
    one, two = (statistics.median(pair[i][0] for pair in pairs) for i in (0, 1))
    print(f"two ranks take {two / one:.2f} of the time of one; idle {max(pair[1][1] for pair in pairs):.1%} at most")


if __name__ == "__main__":
    main()
