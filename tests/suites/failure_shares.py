#!/usr/bin/env python3
"""How often evaluations fail at random points within the bounds, beside AMICI at the same points.

    failure_shares.py KINETUNE FOLDER [--points 50] [--only NAME] [--work DIR]

FOLDER holds a folder a PEtab problem. Runs with a Python that has amici and petab. Prints a table in Markdown: of the
points, how many have no value and how many have a value but no gradient; for kinetune with forward sensitivities and with
adjoints at its default tolerances, without its fallbacks and with them, for AMICI at rtol 1e-8 with atol 1e-16 (its
default) and 1e-8."""
import argparse
import csv
import json
import logging
import math
import pathlib
import subprocess
import sys
import tempfile

from check_gradients import problem_file

TOLERANCES = (1e-16, 1e-8)


def kinetune_points(arguments, yaml, table):
    """(verdicts, points): what check-gradient says of each random point, and where it lies."""
    done = subprocess.run([arguments.kinetune, "check-gradient", str(yaml), "--json", "--points", str(arguments.points),
                           "--differences", "0", "--table", str(table)], capture_output=True, text=True, check=False,
                          timeout=arguments.timeout)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    points = {}
    with open(table, encoding="utf-8") as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            points.setdefault(line["point"], {})[line["parameterId"]] = float(line["scaledValue"])
    verdicts = {p["name"]: p for p in json.loads(done.stdout)["points"] if p["name"].startswith("random")}
    return verdicts, points


def fails_with_fallbacks(arguments, yaml, x, sensitivities, folder):
    """Whether kinetune's objective and gradient cannot be had at its default settings."""
    table = folder / "point.tsv"
    table.write_text("parameterId\tscaledValue\n" + "".join(f"{name}\t{value!r}\n" for name, value in x.items()))
    done = subprocess.run([arguments.kinetune, "evaluate", str(yaml), "--parameters", str(table), "--json", "--sensitivities",
                           sensitivities], capture_output=True, text=True, check=False, timeout=arguments.timeout)
    return json.loads(done.stdout)["status"] != "ok"


class Amici:
    """A PEtab problem compiled by AMICI."""

    def __init__(self, yaml, work):
        import petab.v1
        from amici.importers.petab.v1 import import_petab_problem

        self.problem = petab.v1.Problem.from_yaml(str(yaml))
        self.model = import_petab_problem(self.problem, output_dir=work / yaml.stem, model_name=yaml.stem.replace("-", "_"), verbose=False)

    def fails(self, x, atol, method):
        """Whether the objective (method None) or its gradient cannot be had."""
        import amici.sim.sundials as asd
        from amici.sim.sundials.petab.v1 import simulate_petab

        solver = self.model.create_solver()
        solver.set_absolute_tolerance(atol)
        solver.set_relative_tolerance(1e-8)
        order = asd.SensitivityOrder.none if method is None else asd.SensitivityOrder.first
        solver.set_sensitivity_order(order)
        if method is not None:
            solver.set_sensitivity_method(getattr(asd.SensitivityMethod, method))
        result = simulate_petab(self.problem, amici_model=self.model, solver=solver, problem_parameters=x,
                                scaled_parameters=True)
        if not math.isfinite(result["llh"]):
            return True
        return method is not None and not all(math.isfinite(v) for v in result["sllh"].values())


def row(arguments, yaml, work):
    verdicts, points = kinetune_points(arguments, yaml, work / f"{yaml.stem}.tsv")
    n = len(verdicts)
    counts = [sum(v["verdict"] == "no value" for v in verdicts.values())]
    counts += [sum(f"{method}: " in v["failure"] for v in verdicts.values()) for method in ("forward", "adjoint")]
    # Where nothing fails alone, nothing fails with fallbacks.
    failed = [name for name, v in verdicts.items() if v["failure"]]
    valueless = {name for name in failed if fails_with_fallbacks(arguments, yaml, points[name], "none", work)}
    counts.append(len(valueless))
    counts += [sum(fails_with_fallbacks(arguments, yaml, points[name], method, work) for name in failed if name not in valueless)
               for method in ("forward", "adjoint")]
    amici = Amici(yaml, work)
    for atol in TOLERANCES:
        no_value = {name for name in verdicts if amici.fails(points[name], atol, None)}
        counts.append(len(no_value))
        counts += [sum(amici.fails(points[name], atol, method) for name in verdicts if name not in no_value)
                   for method in ("forward", "adjoint")]
    return f"| {yaml.parent.name} | {n} | " + " | ".join(str(c) for c in counts) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinetune")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--only", default="", help="problems whose name contains one of these, separated by commas")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "kinetune_failures")
    arguments = parser.parse_args()
    try:
        import amici.sim.sundials  # noqa: F401  (models that are compiled already need it loaded)
    except ImportError:
        print("skipped: this Python has no amici")
        return 0
    logging.disable(logging.CRITICAL)
    arguments.work.mkdir(parents=True, exist_ok=True)
    print("| problem | points | kinetune alone: no value | no forward | no adjoint | with fallbacks: no value | no forward "
          "| no adjoint | AMICI, atol 1e-16: no value | no forward | no adjoint | atol 1e-8: no value | no forward "
          "| no adjoint |\n| --- |" + " --- |" * 13)
    names = arguments.only.split(",")
    for folder in sorted(p for p in arguments.folder.iterdir() if p.is_dir() and any(n in p.name for n in names)):
        try:
            print(row(arguments, problem_file(folder), arguments.work), flush=True)
        except Exception as error:  # one problem that another tool cannot read must not end the table
            print(f"| {folder.name} | {type(error).__name__}: {str(error).splitlines()[0][:80]} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
