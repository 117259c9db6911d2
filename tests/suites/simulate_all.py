#!/usr/bin/env python3
"""Checks and simulates every model of a folder, each in a bounded process, and says what became of each.

    simulate_all.py KINETUNE DIR [--durations 10 100] [--seconds 60] [--table out.tsv]

`check` is reading; a duration of 0 adds derivatives and native code; what lasts longer adds the integration. A model is
simulated (or checked), refused (exit code 2: the program says why), failed (the integration stopped early, with its
reason), or broken: crashed, or ended after the time allowed. Exit code 1 if any is broken.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import NamedTuple

MEMORY_LIMIT = 4 << 30  # bytes
VERDICTS = ("simulated", "refused", "failed", "broken")


class Row(NamedTuple):
    model: str
    task: str
    verdict: str
    seconds: float  # wall
    megabytes: float  # most that was resident
    reason: str


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def run_bounded(command: list[str], seconds: float) -> tuple[int, float, float, str]:
    """Exit status (negative: the signal that ended it), wall seconds, megabytes and what it said."""
    with tempfile.TemporaryFile() as said:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, preexec_fn=limit_memory)
        watch = threading.Timer(seconds, process.kill)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return process.returncode, time.monotonic() - start, usage.ru_maxrss / 1024, text


def judged(model: Path, task: str, command: list[str], seconds: float) -> Row:
    code, took, megabytes, text = run_bounded(command, seconds)
    lines = [line for line in text.strip().splitlines() if line]
    reason = next((line for line in reversed(lines) if str(model.name) in line), lines[-1] if lines else "")
    if code == 0:
        return Row(model.name, task, "simulated", took, megabytes, "")
    if code == 2:
        return Row(model.name, task, "refused", took, megabytes, reason)
    if code == 1:
        return Row(model.name, task, "failed", took, megabytes, reason)
    what = f"ended after {seconds:g} s" if took >= seconds else f"exit code {code} {reason}"
    return Row(model.name, task, "broken", took, megabytes, what)


def rows_of(program: str, model: Path, durations: list[float], seconds: float) -> list[Row]:
    rows = [judged(model, "check", [program, "check", str(model)], seconds)]
    for duration in [0.0, *durations]:
        command = [program, "simulate", str(model), "--duration", f"{duration:g}"]
        rows.append(judged(model, f"{duration:g}", command, seconds))
    return rows


def summary(rows: list[Row]) -> list[str]:
    lines = []
    for task in dict.fromkeys(row.task for row in rows):
        of_task = [row for row in rows if row.task == task]
        counts = Counter(row.verdict for row in of_task)
        slowest, largest = max(of_task, key=lambda r: r.seconds), max(of_task, key=lambda r: r.megabytes)
        lines.append(f"{task}: " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS)
                     + f"; median {median(r.seconds for r in of_task):.2f} s, slowest {slowest.model} {slowest.seconds:.2f} s,"
                     + f" largest {largest.model} {largest.megabytes:.0f} MB")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the kinetune program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--durations", type=float, nargs="+", default=[10.0, 100.0])
    parser.add_argument("--seconds", type=float, default=60.0, help="allowed for a model and a task")
    parser.add_argument("--table", type=Path, help="file to write: model, task, verdict, seconds, megabytes, reason")
    arguments = parser.parse_args()

    rows: list[Row] = []
    for model in sorted(arguments.folder.glob("*.xml")):
        for row in rows_of(arguments.program, model, arguments.durations, arguments.seconds):
            rows.append(row)
            if row.verdict != "simulated":
                print(f"{row.model} {row.task} {row.verdict}: {row.reason}", flush=True)
    print("\n".join(summary(rows)))
    if arguments.table:
        cells = [(r.model, r.task, r.verdict, f"{r.seconds:.2f}", f"{r.megabytes:.0f}", re.sub(r"\s", " ", r.reason)) for r in rows]
        lines = ["model\ttask\tverdict\tseconds\tmegabytes\treason"] + ["\t".join(row) for row in cells]
        arguments.table.write_text("\n".join(lines) + "\n")
    return 1 if any(row.verdict == "broken" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
