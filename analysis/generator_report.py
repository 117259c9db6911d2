#!/usr/bin/env python3
"""Draws a generative model of kinetune-train: `generator_report.py model.h5` writes model.html."""

import argparse
import sys
from pathlib import Path

from report import load_libraries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="model file of kinetune-train; training may still go on")
    parser.add_argument("-o", "--output", type=Path, help="HTML file to write; default: beside the model")
    options = parser.parse_args()
    load_libraries()

    from kinetune_analysis.generator import read_model, render

    if not options.model.is_file():
        sys.exit(f"{options.model}: no such file")
    output = options.output or options.model.with_suffix(".html")
    output.write_text(render(read_model(options.model)), encoding="utf-8")
    print(f"report: {output}")


if __name__ == "__main__":
    main()
