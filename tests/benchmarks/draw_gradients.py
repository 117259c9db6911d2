#!/usr/bin/env python3
"""Draws the table that gradients_beside_amici.py prints, as it stands in a Markdown file.

    draw_gradients.py docs/integrators.md -o docs/figures/gradients.png
"""
import argparse
import math
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

HEADER = "| problem | states | parameters | AMICI forward |"


def number(cell):
    """NaN where a tool has none; behind a number may stand the method's name."""
    try:
        return float(cell.split()[0])
    except ValueError:
        return math.nan


def rows(file):
    """(problem, {what: ms}) of each problem, the cheapest for AMICI first."""
    lines = file.read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(HEADER)) + 2
    found = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 11:
            continue
        found.append((cells[0].partition("_")[0], {
            "AMICI, the better method": min(map(number, cells[3:5]), key=lambda ms: (math.isnan(ms), ms)),
            "kinetune, CVODES": number(cells[5]), "kinetune, one point": number(cells[6]),
            "kinetune, many points in lanes": number(cells[10])}))
    return sorted(found, key=lambda row: row[1]["AMICI, the better method"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=pathlib.Path, help="Markdown")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    data = rows(arguments.table)
    figure, axes = plt.subplots(figsize=(7.5, 0.32 * len(data) + 1.2), layout="constrained")
    marks = dict(zip(data[0][1], [("s", "#888888"), ("v", "#8da0cb"), ("o", "#fc8d62"), ("D", "#66a61e")]))
    for what, (marker, color) in marks.items():
        axes.plot([row[1][what] for row in data], range(len(data)), marker, color=color, label=what)
    axes.set_yticks(range(len(data)), [row[0] for row in data])
    axes.set_xscale("log")
    axes.set_xlabel("CPU milliseconds of objective and gradient, all with the gradient within 1e-4")
    axes.grid(axis="both", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    figure.savefig(arguments.output, dpi=110)


if __name__ == "__main__":
    main()
