#!/usr/bin/env python3
"""Draws a run of kinetune: `report.py run.h5` writes run.html, one page with all figures and tables."""

import argparse
import os
import sys
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"  # where a distribution's packages are
TRIED = "KINETUNE_REPORT_TRIED_SYSTEM_PYTHON"


def load_libraries() -> None:
    """Goes on in the system's Python when this one lacks what is needed; ends when both do."""
    try:
        import h5py  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        if TRIED not in os.environ and os.access(SYSTEM_PYTHON, os.X_OK):
            os.execve(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv], os.environ | {TRIED: "1"})
        sys.exit(f"report.py: {error}. It needs h5py and matplotlib: `apt install python3-h5py python3-matplotlib`, "
                 "or `pip install h5py matplotlib`.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="result file of kinetune fit; the run may still go on")
    parser.add_argument("-o", "--output", type=Path, help="HTML file to write; default: beside the run")
    options = parser.parse_args()
    load_libraries()

    from kinetune_analysis.page import render
    from kinetune_analysis.run_file import read_run

    if not options.run.is_file():
        sys.exit(f"{options.run}: no such file")
    output = options.output or options.run.with_suffix(".html")
    output.write_text(render(read_run(options.run)), encoding="utf-8")
    print(f"report: {output}")


if __name__ == "__main__":
    main()
