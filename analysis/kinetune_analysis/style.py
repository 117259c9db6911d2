"""What all figures share: colours, type, and the way onto the page."""

from __future__ import annotations

import base64
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

# Okabe and Ito's colours, told apart with any colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK, GREY, PALE = "#56B4E9", "#CC79A7", "#222222", "#8a8a8a", "#c9ccd1"
CYCLE = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY]

# How far a start ended above the best one, everywhere in the same colour: (limit, colour, words).
DISTANCES = [
    (0.1, BLUE, "within 0.1 of the best"),
    (2.0, ORANGE, "within 2"),
    (np.inf, GREY, "farther"),
]

WIDTH = 9.0  # inches

plt.rcParams.update({
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e9ec",
    "grid.linewidth": 0.7,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.3,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.constrained_layout.h_pad": 0.07,
    "savefig.dpi": 170,
    "svg.fonttype": "path",
})


def distance_color(above_best: float) -> str:
    return next(color for limit, color, _ in DISTANCES if above_best <= limit)


def distance_entries(above_best: np.ndarray, **line) -> list[Line2D]:
    """Legend entries with counts for the distances that occur."""
    entries, lowest = [], -1.0
    for limit, color, words in DISTANCES:
        count = int(np.sum((above_best > lowest) & (above_best <= limit)))
        lowest = limit
        if count:
            entries.append(Line2D([], [], color=color, label=f"{words} ({count})", **line))
    return entries


def best_entry(**line) -> Line2D:
    return Line2D([], [], color=BLACK, linewidth=1.8, label="best start", **line)


def condition_colors(n: int) -> list:
    """n colours: the cycle while it lasts, then even steps of a perceptually ordered map."""
    return CYCLE[:n] if n <= len(CYCLE) else list(plt.get_cmap("viridis")(np.linspace(0, 0.95, n)))


def spread_selection(n: int, n_first: int, n_total: int) -> np.ndarray:
    """Indices out of 0 … n-1: the first n_first, and evenly spaced ones of the rest, n_total in all."""
    if n <= n_total:
        return np.arange(n)
    rest = np.linspace(n_first, n - 1, n_total - n_first).round().astype(int)
    return np.unique(np.concatenate([np.arange(n_first), rest]))


def log_distance_axis(axis, largest: float) -> None:
    """For fval - best + 1: logarithmic, and with room where all are equal."""
    axis.set_yscale("log")
    axis.set_ylim(0.8, max(20.0, 2 * largest))


def note(ax: Axes, text: str) -> None:
    """A remark in the upper right corner, outside the axes."""
    ax.set_title(text, loc="right", fontsize=8, fontweight="normal", color="#666666")


def embed(figure: Figure, alt: str) -> str:
    """The figure as an <img> that carries its own data; closes it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    share = 100 * min(1.0, figure.get_figwidth() / WIDTH)
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img style="width:{share:.0f}%" alt="{alt}" src="data:image/svg+xml;base64,{data}">'
