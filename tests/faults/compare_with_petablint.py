#!/usr/bin/env python3
"""Asks PEtab's own linter about every mistake of petab_mistakes.py, and says what it lets pass.

    compare_with_petablint.py PETABLINT
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from petab_mistakes import V1, V2, VERSION_1, VERSION_2, Mistake, write_problem


def rejects(petablint: str, problem: dict[str, str], mistake: Mistake | None) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        yaml = write_problem(Path(folder), problem, mistake)
        return subprocess.run([petablint, str(yaml)], capture_output=True, check=False).returncode != 0


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for version, problem, mistakes in ((1, VERSION_1, V1), (2, VERSION_2, V2)):
        if rejects(sys.argv[1], problem, None):
            print(f"version {version}: petablint rejects the problem as it is")
        accepted = [mistake for mistake in mistakes if not rejects(sys.argv[1], problem, mistake)]
        print(f"version {version}: petablint rejects {len(mistakes) - len(accepted)} of {len(mistakes)} mistakes; it accepts:")
        for mistake in accepted:
            print(f"  {mistake.file}: {mistake.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
