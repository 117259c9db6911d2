"""How the value fell, by evaluation and by time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from . import style
from .run_file import Run, table_length

MAX_LINES = 200
N_BEST = 50  # of them, the best are all drawn


def can_draw(run: Run) -> bool:
    return len(run.ranking) > 0 and table_length(run.trace_index) > 0 and table_length(run.trace) > 0


def draw(run: Run) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(style.WIDTH, 3.6), sharey=True)
    place = {start: i for i, start in enumerate(run.trace_index["start_id"])}
    traced = [row for row in run.ranking if run.results["start_id"][row] in place]
    selection = style.spread_selection(len(traced), N_BEST, MAX_LINES)
    best, largest = run.fvals[0], 1.0
    for index in selection[::-1]:
        row = traced[index]
        ragged = place[run.results["start_id"][row]]
        offset, length = (int(run.trace_index[key][ragged]) for key in ("offset", "length"))
        piece = {key: run.trace[key][offset : offset + length] for key in ("n_fval", "seconds", "fval")}
        above = np.where(np.isfinite(piece["fval"]), piece["fval"] - best, np.nan)
        is_best = row == run.best
        line = {"color": style.BLACK if is_best else style.distance_color(run.results["fval"][row] - best),
                "linewidth": 1.8 if is_best else 0.8, "alpha": 1 if is_best else 0.55, "zorder": 4 if is_best else 2,
                "rasterized": len(selection) > 100}
        axes[0].plot(piece["n_fval"], above + 1, **line)
        axes[1].plot(piece["seconds"], above + 1, **line)
        if np.isfinite(above).any():
            largest = max(largest, np.nanmax(above) + 1)
    for ax, label in zip(axes, ["evaluations", "seconds since the start began"]):
        style.log_distance_axis(ax, largest)
        ax.set_xlabel(label)
        ax.set_xlim(left=0)
    axes[0].set_ylabel("fval − best + 1")
    entries = [style.best_entry(), *style.distance_entries(run.results["fval"][traced] - best)]
    axes[1].legend(handles=entries, loc="upper right")
    if len(selection) < len(traced):
        style.note(axes[1], f"{len(selection)} of {len(traced)} starts: the {N_BEST} best, the others evenly by rank")
    return figure
