#!/usr/bin/env python3
"""What a gradient costs beside AMICI when both are as accurate.

    gradients_beside_amici.py BENCHMARK KINETUNE FOLDER REFERENCE [--only NAMES] [--work DIR]

BENCHMARK is the program benchmark_gradients, FOLDER holds a folder a PEtab problem, REFERENCE a table of parameters a
problem; a problem without one is looked at near its nominal parameters, normally distributed with sd 0.1 on their scales.
Runs with a Python that has amici and petab. Each tool runs with those tolerances of a grid at which it is
fastest among those whose gradient is within 1e-4 (in norm) of one that was integrated tightly. Times are CPU
milliseconds: of kinetune the whole evaluation, of AMICI what it says its solvers took. Prints a table in Markdown."""
import argparse
import csv
import json
import logging
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

WANTED = 1e-4
RTOLS = [10 ** (-2 - k / 2) for k in range(13)]
ATOLS = (1e-5, 1e-8, 1e-11, 1e-16)


def point_table(arguments, problem, name):
    """The table of the point to look at; made where there is none."""
    table = arguments.reference / f"{name}.tsv"
    if table.exists():
        return table
    import numpy as np

    rows = problem.parameter_df[problem.parameter_df["estimate"] == 1]
    lower, upper = np.array(problem.lb_scaled)[problem.x_free_indices], np.array(problem.ub_scaled)[problem.x_free_indices]
    nominal = np.array(problem.x_nominal_scaled)[problem.x_free_indices]
    x = nominal + 0.1 * np.random.default_rng(list(name.encode())).standard_normal(len(nominal))
    table = arguments.work / f"{name}.point.tsv"
    with table.open("w", encoding="utf-8") as out:
        out.write("parameterId\tscaledValue\n")
        for parameter, value in zip(rows.index, np.clip(x, lower, upper)):
            out.write(f"{parameter}\t{float(value)!r}\n")
    return table


def kinetune_times(arguments, yaml, table):
    """({(method, kind): ms}, [states, parameters], best ms a gradient with many points in lanes) from the benchmark's tables."""
    name = yaml.stem
    done = subprocess.run([arguments.benchmark, f"--problem={yaml}", f"--point={table}", "--benchmark_min_time=0.1"],
                          capture_output=True, text=True, check=True, timeout=arguments.timeout)
    times, lanes = {}, math.inf
    single, _, rest = done.stdout.split("\nms\n")[1].partition("\nms a gradient")
    many = rest.partition("\nms, adjoint gradient")[0]
    for line in single.splitlines():
        words = line.split()
        if len(words) == 9 and words[0] == name:
            for kind, word in zip(("simulation", "forward", "adjoint"), words[4:7]):
                times[words[3], kind] = float(word) if word != "-" else math.inf
            size = words[1:3]
    for line in many.splitlines():
        words = line.split()
        if words and words[0] == name:
            lanes = min(lanes, float(words[4]))
    return times, size, lanes


def tight_gradient(arguments, yaml, table):
    done = subprocess.run([arguments.kinetune, "evaluate", str(yaml), "--parameters", str(table), "--integrator", "rodas5p",
                           "--rtol", "1e-10", "--atol", "1e-16", "--max-steps", "1000000", "--json"],
                          capture_output=True, text=True, check=True, timeout=arguments.timeout)
    result = json.loads(done.stdout)
    return {p: result["gradient_prior"][p] - v for p, v in result["gradient"].items()}


class Amici:
    """A PEtab problem compiled by AMICI, at a point."""

    def __init__(self, problem, yaml, table, work, seconds):
        from amici.importers.petab.v1 import import_petab_problem

        self.problem, self.seconds = problem, seconds
        self.model = import_petab_problem(self.problem, output_dir=work / yaml.parent.name,
                                          model_name=yaml.parent.name.replace("-", "_"), verbose=False)
        with open(table, encoding="utf-8") as lines:
            rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
            self.x = {row["parameterId"]: float(row["scaledValue"]) for row in rows}

    def run(self, rtol, atol, method):
        """(ms, gradient of the log-likelihood); None where it fails."""
        import amici.sim.sundials as asd
        from amici.sim.sundials.petab.v1 import simulate_petab

        solver = self.model.create_solver()
        solver.set_absolute_tolerance(atol)
        solver.set_relative_tolerance(rtol)
        solver.set_max_steps(100000)
        solver.set_sensitivity_order(asd.SensitivityOrder.none if method is None else asd.SensitivityOrder.first)
        if method is not None:
            solver.set_sensitivity_method(getattr(asd.SensitivityMethod, method))
        result = simulate_petab(self.problem, amici_model=self.model, solver=solver, problem_parameters=self.x,
                                scaled_parameters=True, scaled_gradients=True)
        if not math.isfinite(result["llh"]):
            return None
        ms = sum(r.cpu_time_total for r in result["rdatas"])
        return ms, result["sllh"] if method is not None else {}

    def best(self, method, expected):
        """ms at the fastest tolerances that are accurate; inf where none are."""
        size = math.sqrt(sum(v * v for v in expected.values()))
        least, end = math.inf, time.monotonic() + self.seconds
        for atol in ATOLS:
            for rtol in RTOLS:
                if time.monotonic() > end:
                    return least
                found = self.run(rtol, atol, method)
                if found is None:
                    continue
                error = math.sqrt(sum((found[1][p] - v) ** 2 for p, v in expected.items()))
                if not error <= WANTED * size:
                    continue
                least = min(least, statistics.median(self.run(rtol, atol, method)[0] for _ in range(5)))
                break
        return least


def row(arguments, folder):
    import petab.v1

    name = folder.name
    yaml = next(folder.glob("*.yaml"))
    problem = petab.v1.Problem.from_yaml(str(yaml))
    table = point_table(arguments, problem, name)
    amici = Amici(problem, yaml, table, arguments.work, arguments.amici_seconds)
    expected = tight_gradient(arguments, yaml, table)
    theirs = {method: amici.best(method, expected) for method in ("forward", "adjoint")}
    ours, size, lanes = kinetune_times(arguments, yaml, table)
    best = min((ms, key) for key, ms in ours.items() if key[1] != "simulation")
    cvodes = min(ms for key, ms in ours.items() if key[0] == "cvodes" and key[1] != "simulation")
    simulation = ours[best[1][0], "simulation"]
    if not math.isfinite(min(theirs.values())):
        raise RuntimeError(f"AMICI: no tolerances are good enough; kinetune {best[0]:.3g} ms")
    ratios = [min(theirs.values()) / ms for ms in (best[0], min(best[0], lanes))]
    return ratios, (f"| {name} | {size[0]} | {size[1]} | {theirs['forward']:.3g} | {theirs['adjoint']:.3g} | {cvodes:.3g} "
                   f"| {best[0]:.3g} ({' '.join(best[1])}) | {simulation:.3g} | {best[0] / simulation:.1f} | {ratios[0]:.1f} | {f'{lanes:.3g}' if math.isfinite(lanes) else '-'} | {ratios[1]:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark")
    parser.add_argument("kinetune")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("reference", type=pathlib.Path)
    parser.add_argument("--only", default="", help="problems whose name contains one of these, separated by commas")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--amici-seconds", type=float, default=600, help="to look for AMICI's best tolerances, each method")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "kinetune_amici")
    arguments = parser.parse_args()
    try:
        import amici.sim.sundials  # noqa: F401
    except ImportError:
        print("skipped: this Python has no amici")
        return 0
    logging.disable(logging.CRITICAL)
    arguments.work.mkdir(parents=True, exist_ok=True)
    print("| problem | states | parameters | AMICI forward | AMICI adjoint | kinetune, CVODES | kinetune, best | its simulation "
          "| gradient / simulation | AMICI / best | many points in lanes | AMICI / that |\n| --- |" + " --- |" * 11)
    all_ratios = []
    for name in arguments.only.split(","):
        for folder in sorted(p for p in arguments.folder.iterdir() if name in p.name):
            try:
                ratios, text = row(arguments, folder)
                all_ratios.append(ratios)
            except Exception as error:  # one problem that another tool cannot read must not end the table
                text = f"| {folder.name} | {type(error).__name__}: {str(error).splitlines()[0][:80]} |"
            print(text, flush=True)
    for what, ratios in zip(("best", "best of many points"), zip(*all_ratios)):
        print(f"\nMedian of AMICI / {what}: {statistics.median(ratios):.1f}; least {min(ratios):.1f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
