#!/usr/bin/env python3
"""Runs a fuzzer for a while, from our seeds and from what of the public suites is small enough.

    fuzz.py {sbml|petab|maths} [--seconds 3600] [--build build/fuzz] [--work FOLDER]

The corpus grows in FOLDER/<target>; what ends the fuzzer is kept in FOLDER/<target>.findings. After a fix, a finding
becomes a file in tests/fuzz/regressions, which the tests run ever after. Exit code 1 if there was a finding.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MAX_LENGTH = {"sbml": 8000, "petab": 6000, "maths": 1500}
# libSBML and yaml-cpp are not instrumented; the limits are for them, too.
LIMITS = ["-rss_limit_mb=2048", "-print_final_stats=1", "-reload=0"]


def shared_folder() -> Path:
    return Path(os.environ.get("KINETUNE_SHARED", ROOT.parent / "shared")) / "data"


def sbml_seeds() -> Iterator[bytes]:
    for file in sorted((shared_folder() / "sbml-test-suite").glob("*/*.xml")):
        yield file.read_bytes()


def petab_seeds() -> Iterator[bytes]:
    """Each problem as one input, its YAML file under the name that the target reads."""
    for yaml in sorted((shared_folder() / "petab-test-suite").glob("*/*/_*.yaml")):
        if re.fullmatch(r"_\d+\.yaml", yaml.name):
            parts = [b"%%% problem.yaml\n" + yaml.read_bytes()]
            parts += [b"%%% " + table.name.encode() + b"\n" + table.read_bytes() for table in sorted(yaml.parent.glob("*.tsv"))
                      if "simulations" not in table.name]
            yield b"".join(parts + [b"%%% _model.xml\n<sbml/>\n"])


def maths_seeds() -> Iterator[bytes]:
    file = shared_folder() / "petab-test-suite" / "v2.0.0" / "math_tests.yaml"
    for line in file.read_text().splitlines() if file.exists() else []:
        if match := re.match(r"\s*-?\s*expression: *['\"]?(.*?)['\"]?$", line):
            yield match[1].encode()


SEEDS = {"sbml": sbml_seeds, "petab": petab_seeds, "maths": maths_seeds}


def write_seeds(target: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        if len(seed) <= MAX_LENGTH[target]:
            (folder / f"seed_{number}").write_bytes(seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=SEEDS)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--patience", type=int, default=10, help="wall seconds an input may take; more where others compute, too")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--work", type=Path, help="default: the folder `fuzzing` of the build")
    arguments = parser.parse_args()

    work = arguments.work or arguments.build / "fuzzing"
    seeds, corpus, findings = (work / f"{arguments.target}{suffix}" for suffix in (".seeds", "", ".findings"))
    write_seeds(arguments.target, seeds)
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    ours = [HERE / kind / arguments.target for kind in ("corpus", "regressions")]
    command = [arguments.build / "bin" / f"fuzz_{arguments.target}", corpus, *(f for f in ours if f.exists()), seeds, *LIMITS,
               f"-dict={HERE / arguments.target}.dict", f"-max_len={MAX_LENGTH[arguments.target]}",
               f"-timeout={arguments.patience}", f"-max_total_time={arguments.seconds}", f"-artifact_prefix={findings}/"]
    return 1 if subprocess.run([str(part) for part in command], check=False).returncode else 0


if __name__ == "__main__":
    sys.exit(main())
