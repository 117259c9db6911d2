#!/usr/bin/env python3
"""Simulates every model of a folder in a bounded process and says what became of each.

    simulate_all.py KINETUNE DIR [--durations 10 100] [--seconds 60] [--table out.tsv]

A model is simulated, refused (exit code 2: the program says why), failed (the integration stopped early, with its
reason), or broken: crashed, or ended after the time allowed. Exit code 1 if any is broken.
"""

import argparse
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

MEMORY_LIMIT = 4 << 30  # bytes


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def verdict_of(program: str, model: Path, duration: float, seconds: float) -> tuple[str, str]:
    command = [program, "simulate", str(model), "--duration", str(duration)]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=seconds,
                              preexec_fn=limit_memory, check=False)
    except subprocess.TimeoutExpired:
        return "broken", f"ended after {seconds} s"
    reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    if done.returncode == 0:
        return "simulated", ""
    if done.returncode == 2:
        return "refused", reason
    return ("failed", reason) if done.returncode == 1 and reason else ("broken", f"exit code {done.returncode} {reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the kinetune program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--durations", type=float, nargs="+", default=[10.0, 100.0])
    parser.add_argument("--seconds", type=float, default=60.0, help="allowed for a model and a duration")
    parser.add_argument("--table", type=Path, help="file to write: model, duration, verdict, seconds, reason")
    arguments = parser.parse_args()

    rows = []
    for model in sorted(arguments.folder.glob("*.xml")):
        for duration in arguments.durations:
            start = time.monotonic()
            verdict, reason = verdict_of(arguments.program, model, duration, arguments.seconds)
            rows.append((model.name, f"{duration:g}", verdict, f"{time.monotonic() - start:.2f}", reason))
            if verdict != "simulated":
                print(f"{model.name} to {duration:g} {verdict}: {reason}", flush=True)
    for duration in arguments.durations:
        counts = Counter(row[2] for row in rows if row[1] == f"{duration:g}")
        print(f"to {duration:g}: " + ", ".join(f"{counts[v]} {v}" for v in ("simulated", "refused", "failed", "broken")))
    if arguments.table:
        lines = ["model\tduration\tverdict\tseconds\treason"] + ["\t".join(re.sub(r"\s", " ", c) for c in row) for row in rows]
        arguments.table.write_text("\n".join(lines) + "\n")
    return 1 if any(row[2] == "broken" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
