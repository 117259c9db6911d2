"""Busy and idle seconds of the MPI ranks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from . import style
from .run_file import Run, table_length

MAX_LABELLED = 32


def can_draw(run: Run) -> bool:
    return table_length(run.ranks) > 0 and float(np.sum(run.ranks["busy_seconds"])) > 0


def idle_share(run: Run) -> float:
    busy, idle = np.sum(run.ranks["busy_seconds"]), np.sum(run.ranks["idle_seconds"])
    return float(idle / (busy + idle))


def label(run: Run, row: int) -> str:
    """A run that was resumed has several sessions, and each has a rank 0."""
    session = run.ranks["session"][row] if "session" in run.ranks and np.any(run.ranks["session"]) else None
    prefix = "" if session is None else f"session {session}, "
    count = run.ranks["n_starts"][row]
    return f"{prefix}rank {run.ranks['rank'][row]} ({count} {'start' if count == 1 else 'starts'})"


def draw(run: Run) -> Figure:
    busy, idle = run.ranks["busy_seconds"], run.ranks["idle_seconds"]
    n = len(busy)
    is_labelled = n <= MAX_LABELLED
    figure, ax = plt.subplots(figsize=(style.WIDTH, 1.0 + 0.22 * n if is_labelled else 3.6))
    # Many ranks are no longer told apart: bars without gaps, sorted.
    order = np.arange(n) if is_labelled else np.argsort(-busy, kind="stable")
    height = 0.7 if is_labelled else 1.0
    ax.barh(np.arange(n), busy[order], height=height, color=style.BLUE, linewidth=0, label="busy")
    ax.barh(np.arange(n), idle[order], left=busy[order], height=height, color=style.PALE, linewidth=0, label="idle")
    if is_labelled:
        ax.set_yticks(np.arange(n), [label(run, row) for row in order])
    else:
        ax.set_ylabel("ranks, busiest first")
    ax.set_ylim(n - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("seconds")
    ax.set_xlim(0, 1.02 * float(np.max(busy + idle)))
    ax.legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1))
    return figure
