#!/usr/bin/env python3
"""What does a whole multi-start cost with CVODES, with a Rosenbrock method alone, and with what fit chooses by itself?

    before_and_after.py --program build/release/bin/kinetune --problems FOLDER \
        --only Boehm_JProteomeRes2014=100 Bachmann_MSB2011=4

Runs the same starts of each problem in each way, on one process, one after the other, and prints a table in Markdown:
CPU seconds of the whole command (the system's count for the process, so loading, choosing, storing and the coordinator
are in it), evaluations, CPU milliseconds an evaluation, how many starts ended within 0.1 of the best fval of all runs,
and the share of the CPU time that was not spent within evaluations. Compiled models come from the cache: each problem is
loaded in each way once before. The machine's load is printed, as CPU times grow when others use the caches.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

WAYS = {
    "CVODES": ["--integrator", "cvodes", "--lanes", "1"],
    "Rosenbrock, one lane": ["--lanes", "1"],
    "as chosen": [],
}


@dataclass
class Run:
    cpu_seconds: float
    evaluation_seconds: float
    n_evaluations: int
    fval: np.ndarray
    method: str


def cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def fit(options: argparse.Namespace, problem: str, starts: int, way: list[str], file: Path) -> Run:
    before = cpu_seconds_of_children()
    done = subprocess.run([options.program, "fit", options.problems / problem / f"{problem}.yaml", "--starts", str(starts),
                           "--seed", str(options.seed), *options.also, *way, "-o", file, "--force"], check=True, text=True,
                          capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    cpu_seconds = cpu_seconds_of_children() - before
    in_starts, outside = map(float, re.search(r"starts took ([\d.]+) CPU s, ([\d.]+) of them outside", done.stdout).groups())
    with h5py.File(file) as run:
        study = dict(line.split(": ", 1) for line in run.attrs["study"].splitlines() if ": " in line)
        return Run(cpu_seconds, in_starts - outside, int(run["results/n_fval"][:].sum()), run["results/fval"][:],
                   f"{study['integrator']} {study['sensitivities']}, lanes {study['lanes']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--problems", type=Path, required=True, help="folder of PEtab problems, each in its own")
    parser.add_argument("--only", nargs="+", required=True, metavar="PROBLEM=STARTS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("also", nargs="*", help="further options of kinetune fit, behind --")
    options = parser.parse_args()
    print("| problem | starts | way | CPU s | evaluations | ms each | within 0.1 of the best | outside evaluations |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for entry in options.only:
        problem, starts = entry.split("=")
        with tempfile.TemporaryDirectory() as folder:
            for way in WAYS.values():
                fit(options, problem, 2, [*way, "--max-iterations", "1"], Path(folder) / "run.h5")
            runs = {name: fit(options, problem, int(starts), way, Path(folder) / "run.h5") for name, way in WAYS.items()}
        best = min(np.nanmin(run.fval) for run in runs.values())
        for name, run in runs.items():
            outside = 1 - run.evaluation_seconds / run.cpu_seconds
            print(f"| {problem} | {starts} | {name} ({run.method}) | {run.cpu_seconds:.1f} | {run.n_evaluations:,} | "
                  f"{1e3 * run.cpu_seconds / run.n_evaluations:.3f} | {np.sum(run.fval <= best + 0.1)} | {outside:.1%} |",
                  flush=True)
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
