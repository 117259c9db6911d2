#!/usr/bin/env python3
"""Which local optimiser finds the best known fval how often, and at what price?

    compare_optimizers.py --program build/release/bin/kinetune --problems FOLDER --best best_known.tsv -o results

Runs each optimiser from the same starts on each problem, on one process, and prints a table in Markdown: starts
within 0.1 and 2 of the best fval (known, or found here if that is lower), evaluations, CPU seconds, failed starts. A
run that is there already is not repeated, so it can be broken off and gone on with, and with more starts than before.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
from pathlib import Path

import h5py
import numpy as np

PROBLEMS = ["Boehm_JProteomeRes2014", "Brannmark_JBC2010", "Sneyd_PNAS2002", "Schwen_PONE2014"]
OPTIMIZERS = ["blmvm", "bncg", "bqnls", "bqnkls", "bnls", "bntr", "bntl"]


def run(options: argparse.Namespace, problem: str, optimizer: str) -> Path:
    file = options.output / f"{problem}.{optimizer}.h5"
    if not file.exists():
        arguments = [options.problems / problem / f"{problem}.yaml", "--starts", options.starts, "--seed", options.seed,
                     "--optimizer", optimizer, "-o", file]
    else:
        with h5py.File(file) as run_file:
            if run_file.attrs["end_time"] and run_file["results/fval"].size >= options.starts:
                return file
        arguments = ["--resume", file, "--starts", options.starts]
    subprocess.run([str(options.program), "fit", *map(str, arguments)], check=False, capture_output=True)
    return file


def best_known(table: Path) -> dict[str, float]:
    with table.open() as file:
        return {row["model"]: float(row["nllh"]) for row in csv.DictReader(file, delimiter="\t")}


def row(file: Path, best: float) -> str:
    with h5py.File(file) as run_file:
        results = run_file["results"]
        fval = results["fval"][:]
        near = [int(np.sum(fval <= best + margin)) for margin in (0.1, 2)]
        converged = int(np.sum(results["status"][:] == 0))
        return (f"{fval.size} | {np.nanmin(fval):.4f} | {near[0]}, {near[1]} | {converged} | {results['n_fval'][:].sum():,} | "
                f"{results['cpu_seconds'][:].sum():,.0f} | {int(np.isnan(fval).sum())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--problems", type=Path, required=True, help="folder of PEtab problems, each in its own")
    parser.add_argument("--best", type=Path, required=True, help="TSV with columns model, nllh")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the run files")
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=PROBLEMS)
    parser.add_argument("--optimizers", nargs="*", default=OPTIMIZERS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    known = best_known(options.best)
    print("| problem | optimiser | starts | best fval | starts within 0.1, 2 | converged | evaluations | CPU seconds | failed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for problem in options.only:
        files = {optimizer: run(options, problem, optimizer) for optimizer in options.optimizers}
        found = []
        for file in files.values():
            with h5py.File(file) as run_file:
                found.append(np.nanmin(run_file["results/fval"][:]))
        best = min(known.get(problem, np.inf), *found)
        for optimizer, file in files.items():
            print(f"| {problem} | {optimizer} | {row(file, best)} |", flush=True)


if __name__ == "__main__":
    main()
