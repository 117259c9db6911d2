"""The best fit against the data: a panel an observable, a colour a condition."""

from __future__ import annotations

import math
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .run_file import Run, Table, table_length

PANELS_A_ROW = 3
PANELS_A_FIGURE = 12
MAX_PANELS = 48
MAX_LEGEND = 16


@dataclass(frozen=True)
class Experiment:
    """What a measurement was taken under; the pre-equilibration is empty where there was none."""

    preequilibration: str
    condition: str

    def label(self) -> str:
        return f"{self.preequilibration} → {self.condition}" if self.preequilibration else self.condition


Colors = dict[Experiment, object]
Series = dict[tuple[str, Experiment], np.ndarray]  # rows of a table, by observable and experiment, in order of time


def can_draw(run: Run) -> bool:
    return table_length(run.fit) > 0


def draw(run: Run) -> list[Figure]:
    """One figure for each PANELS_A_FIGURE observables, MAX_PANELS observables at most."""
    measured, curves = series_of(run.fit), series_of(run.curves)
    observables = list(dict.fromkeys(observable for observable, _ in measured))[:MAX_PANELS]
    experiments = list(dict.fromkeys(experiment for _, experiment in measured))
    colors = dict(zip(experiments, style.condition_colors(len(experiments))))
    return [_draw_page(run, observables[i : i + PANELS_A_FIGURE], measured, curves, colors)
            for i in range(0, len(observables), PANELS_A_FIGURE)]


def remarks(run: Run) -> str:
    """What the figures leave out."""
    measured = series_of(run.fit)
    n_observables, n_experiments = (len({key[i] for key in measured}) for i in range(2))
    text = f" {n_observables - MAX_PANELS} more observables are not drawn." if n_observables > MAX_PANELS else ""
    if n_experiments > MAX_LEGEND:
        text += f" Colours run from dark to light through the {n_experiments} conditions in the order of the file."
    return text


def series_of(table: Table) -> Series:
    """In the order of the file."""
    if table_length(table) == 0:
        return {}
    before = table.get("preequilibration_condition_id", [""] * table_length(table))
    rows: dict[tuple[str, Experiment], list[int]] = {}
    for row, (observable, *experiment) in enumerate(zip(table["observable_id"], before, table["condition_id"])):
        rows.setdefault((observable, Experiment(*experiment)), []).append(row)
    time = table["time"]
    return {key: np.array(own)[np.argsort(time[own], kind="stable")] for key, own in rows.items()}


def _draw_page(run: Run, observables: list[str], measured: Series, curves: Series, colors: Colors) -> Figure:
    n_columns = min(len(observables), PANELS_A_ROW)
    n_rows = math.ceil(len(observables) / n_columns)
    legend_rows = math.ceil(len(colors) / 4) if len(colors) <= MAX_LEGEND else 0
    height = 2.7 * n_rows + 0.22 * legend_rows + 0.1
    width = style.WIDTH * (0.4 + 0.2 * n_columns)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(width, height), squeeze=False)
    for ax in axes.flat[len(observables) :]:
        ax.set_visible(False)
    for ax, observable in zip(axes.flat, observables):
        _draw_panel(ax, run, observable, measured, curves, colors)
    if legend_rows:
        entries = [Line2D([], [], color=color, marker="o", markersize=4, label=experiment.label())
                   for experiment, color in colors.items()]
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - (0.22 * legend_rows + 0.1) / height))
        figure.legend(handles=entries, loc="upper center", ncols=min(4, len(entries)))
    return figure


def _draw_panel(ax: Axes, run: Run, observable: str, measured: Series, curves: Series, colors: Colors) -> None:
    own = {experiment: rows for (name, experiment), rows in measured.items() if name == observable}
    all_rows = np.concatenate(list(own.values()))
    place = _TimeAxis(run.fit["time"][all_rows])
    for experiment, rows in own.items():
        _draw_points(ax, run.fit, rows, place, colors[experiment])
        # A curve does not say what came before; one of the plain condition serves.
        curve = curves.get((observable, experiment), curves.get((observable, Experiment("", experiment.condition))))
        table, drawn = (run.fit, rows) if curve is None else (run.curves, curve)
        _draw_simulation(ax, place(table["time"][drawn]), table["simulation"][drawn], place, colors[experiment])
    place.decorate(ax)
    if _transformation(run.fit, all_rows) != "lin":
        ax.set_yscale("log")
    ax.set_title(observable)
    ax.set_xlabel("time")


def _transformation(fit: Table, rows: np.ndarray) -> str:
    """The scale on which the observable's noise is additive: lin, log or log10."""
    return fit["transformation"][rows[0]] if "transformation" in fit else "lin"


def _draw_points(ax: Axes, fit: Table, rows: np.ndarray, place: _TimeAxis, color: object) -> None:
    """Measurements with one sigma, which is on the scale of the transformation."""
    measurement, sigma = fit["measurement"][rows], fit["sigma"][rows]
    kind = _transformation(fit, rows)
    if kind == "lin":
        bars = np.array([sigma, sigma])
    else:
        factor = 10.0**sigma if kind == "log10" else np.exp(sigma)
        bars = np.array([measurement - measurement / factor, measurement * factor - measurement])
    ax.errorbar(place(fit["time"][rows]), measurement, yerr=np.nan_to_num(bars, posinf=0, neginf=0), fmt="o",
                markersize=3.6, color=color, ecolor=color, elinewidth=0.9, capsize=0, alpha=0.85, markeredgewidth=0,
                zorder=3)


def _draw_simulation(ax: Axes, times: np.ndarray, values: np.ndarray, place: _TimeAxis, color: object) -> None:
    """A line; a dash for a steady state and for a point that is alone."""
    steady = times == place.infinity
    ax.plot(times[~steady], values[~steady], color=color, zorder=2)
    alone = steady if np.sum(~steady) > 1 else np.ones(len(times), dtype=bool)
    ax.plot(times[alone], values[alone], linestyle="none", marker="_", markersize=12, markeredgewidth=1.6, color=color,
            zorder=4)


class _TimeAxis:
    """Times on an axis, with a place of its own for measurements in steady state (time = inf)."""

    def __init__(self, times: np.ndarray):
        finite = times[np.isfinite(times)]
        self.last = float(finite.max()) if len(finite) else 0.0
        self.has_infinity = len(finite) < len(times)
        self.infinity = 1.15 * self.last if self.last > 0 else 1.0

    def __call__(self, times: np.ndarray) -> np.ndarray:
        return np.where(np.isinf(times), self.infinity, times)

    def decorate(self, ax: Axes) -> None:
        if self.has_infinity:
            ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= self.last] if self.last > 0 else []
            ax.set_xticks([*ticks, self.infinity], [*(f"{tick:g}" for tick in ticks), "∞"])
