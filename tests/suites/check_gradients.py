#!/usr/bin/env python3
"""Gradients of every PEtab problem of a collection: check_gradients.py KINETUNE FOLDER [options]

FOLDER holds a folder a problem. Runs `kinetune check-gradient` on each and prints a line a problem, as a table in
Markdown; closes with how many problems' gradients are confirmed: of every point that has a value, by differences where these were taken
and by the agreement of the two methods elsewhere. Exit code 1 if one's are not."""
import argparse
import json
import pathlib
import subprocess
import sys


def problem_file(folder):
    """The problem's YAML: the one named like its folder or problem.yaml, otherwise the only one."""
    for name in (f"{folder.name}.yaml", "problem.yaml"):
        if (folder / name).exists():
            return folder / name
    files = sorted(folder.glob("*.yaml"))
    return files[0] if files else None


def check(arguments, yaml):
    """What check-gradient says as JSON, or why it says nothing."""
    command = [arguments.kinetune, "check-gradient", str(yaml), "--json", "--points", str(arguments.points),
               "--differences", str(arguments.differences), "--seed", str(arguments.seed), "--integrator", arguments.integrator,
               "--directions", str(arguments.directions)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=arguments.timeout)
    except subprocess.TimeoutExpired:
        return None, f"not done in {arguments.timeout:g} s"
    if done.returncode not in (0, 1):
        return None, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    return json.loads(done.stdout), ""


def worst(points, key):
    values = [p[key] for p in points if p.get(key) is not None and p["verdict"] != "no value" and not p["failure"]]
    return f"{max(values):.1e}" if values else "-"


def row(name, result):
    points = result["points"]
    count = lambda verdict: sum(p["verdict"] == verdict for p in points)
    notes = sorted({p["failure"] for p in points if p["verdict"] in ("NOT to be trusted", "not confirmed") and p["failure"]})
    return (f"| {name} | {count('trusted')} | {count('not confirmed')} | {count('NOT to be trusted')} | {count('no value')} "
            f"| {worst(points, 'forward_adjoint')} | {worst(points, 'forward_difference')} "
            f"| {worst(points, 'uncertainty')} | {'; '.join(notes)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinetune")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--points", type=int, default=20, help="random points a problem")
    parser.add_argument("--differences", type=int, default=0, help="points at which differences are taken too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directions", type=int, default=0, help="of differences; 0: along each parameter")
    parser.add_argument("--integrator", default="auto", help="of the gradients")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a problem")
    parser.add_argument("--only", default="", help="problems whose name contains this")
    arguments = parser.parse_args()
    print("| problem | trusted | not confirmed | not to be trusted | no value | forward - adjoint "
          "| forward - differences | good to | |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    n_trusted = n_all = 0
    for folder in sorted(p for p in arguments.folder.iterdir() if p.is_dir() and arguments.only in p.name):
        yaml = problem_file(folder)
        if not yaml:
            continue
        n_all += 1
        result, why = check(arguments, yaml)
        n_trusted += bool(result and result["trusted"])
        print(row(folder.name, result) if result else f"| {folder.name} | | | | | | | | {why} |", flush=True)
    print(f"\n{n_trusted} of {n_all} problems have gradients that are confirmed at every point that has a value")
    return 0 if n_trusted == n_all else 1


if __name__ == "__main__":
    sys.exit(main())
