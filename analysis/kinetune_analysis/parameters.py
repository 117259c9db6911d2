"""Parameters of the best starts as lines through their bounds."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .run_file import Problem, Run

MAX_LINES = 50
ROWS_A_PANEL = 50
PANELS_A_ROW = 2
MAX_VECTOR_POINTS = 3000  # beyond, lines become pixels: the file stays small


def shown(run: Run) -> np.ndarray:
    """Rows of the results that are drawn: those within 2 of the best, at least 10, at most MAX_LINES."""
    return run.ranking[: min(max(run.within(2.0), 10), MAX_LINES)]


def draw(run: Run) -> Figure:
    """Needs at least one successful start."""
    problem = run.problem
    n_panels = math.ceil(len(problem.ids) / ROWS_A_PANEL)
    n_columns = min(n_panels, PANELS_A_ROW)
    n_rows = math.ceil(n_panels / n_columns)
    rows_a_panel = math.ceil(len(problem.ids) / n_panels)
    font_size = 8.5 if n_columns == 1 else 6.5
    height = max(2.2, rows_a_panel * font_size / 36 + 0.9)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(style.WIDTH, n_rows * height), squeeze=False)
    for index, ax in enumerate(axes.flat):
        members = np.arange(index * rows_a_panel, min((index + 1) * rows_a_panel, len(problem.ids)))
        if len(members):
            _draw_panel(ax, run, members, font_size)
        else:
            ax.set_visible(False)
    _legend(figure, run, n_rows * height)
    return figure


def _draw_panel(ax: Axes, run: Run, members: np.ndarray, font_size: float) -> None:
    problem, y = run.problem, np.arange(len(members))
    rows, best = shown(run), run.fvals[0]
    for row in rows[::-1]:
        x = problem.to_unit(run.results["x"][row])[members]
        is_best = row == run.best
        color = style.BLACK if is_best else style.distance_color(run.results["fval"][row] - best)
        ax.plot(x, y, color=color, linewidth=1.6 if is_best else 0.9, alpha=1 if is_best else 0.5,
                marker="o", markersize=4.0 if is_best else 2.6, markeredgewidth=0, zorder=4 if is_best else 2,
                rasterized=len(rows) * len(members) > MAX_VECTOR_POINTS)
    nominal = problem.to_unit(problem.nominal)[members]
    ax.plot(nominal, y, linestyle="none", marker="D", markersize=0.75 * font_size, markerfacecolor="none",
            markeredgecolor=style.VERMILION, markeredgewidth=1.2, zorder=5)
    for edge in (0, 1):
        ax.axvline(edge, color="#777777", linewidth=0.8, zorder=1)
    ax.set_xlim(-0.04, 1.04)
    ax.set_ylim(len(members) - 0.4, -0.6)
    ax.set_yticks(y, [problem.ids[i] for i in members], fontsize=font_size)
    ax.set_xticks([0, 1], ["lower bound", "upper bound"], fontsize=font_size)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bounds = ax.secondary_yaxis("right")
    bounds.set_yticks(y, [bounds_text(problem, i) for i in members], fontsize=font_size, color="#777777")
    bounds.tick_params(length=0)
    bounds.spines[:].set_visible(False)


def bounds_text(problem: Problem, index: int) -> str:
    """The bounds on the linear scale."""
    linear = [problem.to_linear(bound)[index] for bound in (problem.lower, problem.upper)]
    return f"{linear[0]:.3g} … {linear[1]:.3g}".replace("-", "−")


def _legend(figure: Figure, run: Run, height: float) -> None:
    above = run.results["fval"][shown(run)] - run.fvals[0]
    entries = [style.best_entry(marker="o", markersize=4), *style.distance_entries(above, marker="o", markersize=3)]
    if np.isfinite(run.problem.nominal).any():
        entries.append(Line2D([], [], linestyle="none", marker="D", markersize=6.5, markerfacecolor="none",
                              markeredgecolor=style.VERMILION, label="nominal value"))
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.3 / height))
    figure.legend(handles=entries, loc="upper center", ncols=len(entries))
