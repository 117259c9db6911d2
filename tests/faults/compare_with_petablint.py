#!/usr/bin/env python3
"""Asks PEtab's own linter about every mistake of petab_mistakes.py, and says what it lets pass.

    PYTHON compare_with_petablint.py     PYTHON has the package petab
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from petab import petablint
from petab_mistakes import V1, V2, VERSION_1, VERSION_2, Mistake, write_problem


def rejects(problem: dict[str, str], mistake: Mistake | None) -> bool:
    """What `petablint problem.yaml` would say, without a new process."""
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["petablint", str(write_problem(Path(folder), problem, mistake))]
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                petablint.main()
        except SystemExit as end:
            return bool(end.code)
        except Exception:  # a traceback and exit code 1
            return True
    return False


def main() -> int:
    warnings.simplefilter("ignore")
    logging.disable()
    for version, problem, mistakes in ((1, VERSION_1, V1), (2, VERSION_2, V2)):
        if rejects(problem, None):
            print(f"version {version}: petablint rejects the problem as it is")
        accepted = [mistake for mistake in mistakes if not rejects(problem, mistake)]
        print(f"version {version}: petablint rejects {len(mistakes) - len(accepted)} of {len(mistakes)} mistakes; it accepts:")
        for mistake in accepted:
            print(f"  {mistake.file}: {mistake.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
