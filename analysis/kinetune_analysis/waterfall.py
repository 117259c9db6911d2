"""Waterfall: the final values of all starts in ascending order. Plateaus are minima that several starts found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from . import style
from .run_file import Run


def draw(run: Run) -> Figure:
    """Needs at least one successful start."""
    figure, ax = plt.subplots(figsize=(style.WIDTH, 3.6))
    above = run.fvals - run.fvals[0]
    positions = np.arange(1, len(above) + 1)
    size = float(np.clip(2500 / len(above), 8, 42))
    ax.plot(positions, above + 1, color=style.PALE, linewidth=1, zorder=1)
    ax.scatter(positions, above + 1, s=size, c=[style.distance_color(value) for value in above], edgecolor="white",
               linewidth=0.4 if len(above) < 300 else 0, rasterized=len(above) > 500, zorder=2)
    entries: list[Artist] = style.distance_entries(above, linestyle="none", marker="o", markersize=6)
    if run.n_failed:
        first = len(above) + 0.5
        entries.append(ax.axvspan(first, first + run.n_failed, color=style.PALE, alpha=0.45, linewidth=0,
                                  label=f"failed ({run.n_failed})"))
    style.log_distance_axis(ax, above[-1] + 1)
    ax.set_xlim(0.5 - 0.02 * run.n_finished, run.n_finished + 0.5 + 0.02 * run.n_finished)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.set_xlabel("starts, best first")
    ax.set_ylabel("fval − best + 1")
    ax.legend(handles=entries, loc="upper left")
    style.note(ax, f"best fval {run.fvals[0]:.6g}".replace("-", "−"))
    return figure
