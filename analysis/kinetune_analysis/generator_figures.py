"""Figures of a generative model: training, latent space, distances, search."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from . import style
from .run_file import Table

LOGARITHMIC = {"learning_rate", "weight_decay", "width", "n_latent", "batch_size"}
SEARCHED = ["encoder_layers", "decoder_layers", "width", "n_latent", "learning_rate", "weight_decay", "batch_size",
            "validation_share", "score"]
N_BINS = 10  # of labels


def losses(history: Table) -> Figure:
    """Loss, reconstruction and divergence, those that the method has."""
    parts = [part for part in ("loss", "reconstruction", "divergence") if np.isfinite(history[f"train_{part}"]).any()]
    figure, axes = plt.subplots(1, len(parts), figsize=(style.WIDTH, 3.2), squeeze=False)
    for ax, part in zip(axes[0], parts):
        for side, color, label in (("train", style.BLUE, "training"), ("validation", style.ORANGE, "held out")):
            values = history[f"{side}_{part}"]
            if np.isfinite(values).any():
                ax.plot(history["epoch"], values, color=color, label=label)
        ax.set_title(part)
        ax.set_xlabel("epoch")
    axes[0][0].legend()
    return figure


def plane(latent: np.ndarray) -> tuple[np.ndarray, str]:
    """(n, 2), and how it came about: UMAP where installed, else t-SNE, else principal components."""
    if latent.shape[1] <= 2:
        return np.column_stack([latent, np.zeros((len(latent), 2 - latent.shape[1]))]), "its own coordinates"
    try:
        from umap import UMAP

        return UMAP(random_state=1).fit_transform(latent), "UMAP"
    except ImportError:
        pass
    try:
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(latent) - 1) / 3)
        return TSNE(random_state=1, perplexity=perplexity).fit_transform(latent), "t-SNE"
    except ImportError:
        pass
    centred = latent - latent.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    share = np.sum(spread[:2] ** 2) / max(np.sum(spread**2), np.finfo(float).tiny)
    return centred @ directions[:2].T, f"its first two principal components ({share:.0%} of the variance)"


def label_bins(labels: np.ndarray) -> np.ndarray:
    """Number of the bin of 0.1, the last of which holds 1, too."""
    return np.clip(np.floor(labels * N_BINS + 1e-9).astype(int), 0, N_BINS - 1)


def latent_map(points: np.ndarray, labels: np.ndarray) -> Figure:
    figure, ax = plt.subplots(figsize=(0.75 * style.WIDTH, 5))
    colors, bins = plt.get_cmap("viridis")(np.linspace(0, 0.95, N_BINS)), label_bins(labels)
    for i in reversed(range(N_BINS)):  # the best on top
        of_bin = points[bins == i]
        if len(of_bin):
            ax.scatter(*of_bin.T, s=9, color=colors[i], linewidth=0, rasterized=len(points) > 500,
                       label=f"{i / N_BINS:.1f} to {(i + 1) / N_BINS:.1f} ({len(of_bin)})")
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], names[::-1], title="label", loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    return figure


def distances(measures: Table) -> Figure:
    """Histogram and smoothed density."""
    series = [("generated_to_training", style.BLUE, "generated to training"),
              ("generated_to_best", style.GREEN, "generated to best quarter"),
              ("held_out_to_training", style.ORANGE, "held out to training")]
    series = [(measures[key], color, label) for key, color, label in series if key in measures]
    edges = np.linspace(0, max(float(np.max(values)) for values, _, _ in series) or 1.0, 50)
    figure, (counts, density) = plt.subplots(1, 2, figsize=(style.WIDTH, 3.4))
    for values, color, label in series:
        counts.hist(values, bins=edges, histtype="step", color=color, label=f"{label} ({len(values)})")
        if np.ptp(values) > 0 and len(values) > 2:
            density.plot(edges, kernel_density(values, edges), color=color)
    counts.set_ylabel("vectors")
    density.set_ylabel("density")
    for ax in (counts, density):
        ax.set_xlabel("distance to the nearest, rms over parameters")
    counts.legend()
    return figure


def kernel_density(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """With a normal kernel of Silverman's width."""
    width = 1.06 * np.std(values) * len(values) ** -0.2
    kernel = np.exp(-0.5 * ((at[:, None] - values) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return kernel.mean(axis=1)


def parallel_coordinates(search: Table) -> Figure:
    figure, ax = plt.subplots(figsize=(style.WIDTH, 4))
    rows = np.flatnonzero(np.isfinite(search["score"]))
    positions = np.arange(len(SEARCHED))
    scaled, limits = zip(*(_to_unit(search[key][rows], key in LOGARITHMIC) for key in SEARCHED))
    order = np.argsort(-search["score"][rows], kind="stable")
    colors = plt.get_cmap("viridis")(np.linspace(0.95, 0, max(len(rows), 2)))
    for place, row in enumerate(order):
        is_best = place == len(order) - 1
        ax.plot(positions, [column[row] for column in scaled], color=style.BLACK if is_best else colors[place],
                linewidth=2 if is_best else 1, alpha=1 if is_best else 0.7, zorder=3 if is_best else 2)
    for x, (low, high) in zip(positions, limits):
        ax.text(x, -0.06, f"{low:.3g}", ha="center", va="top", fontsize=8)
        ax.text(x, 1.06, f"{high:.3g}", ha="center", va="bottom", fontsize=8)
    ax.set_xticks(positions, [key.replace("_", "\n") for key in SEARCHED])
    ax.set_yticks([])
    ax.set_ylim(-0.2, 1.2)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    lost = len(search["score"]) - len(rows)
    if lost:
        style.note(ax, f"{lost} trials without a score are not shown")
    return figure


def _to_unit(values: np.ndarray, logarithmic: bool) -> tuple[np.ndarray, tuple[float, float]]:
    """Positions from 0 to 1, and the values there; 0.5 where all are equal."""
    if len(values) == 0:
        return values, (np.nan, np.nan)
    on_axis = np.log(values) if logarithmic and np.all(values > 0) else values
    low, width = float(np.min(on_axis)), float(np.ptp(on_axis))
    return (on_axis - low) / width if width > 0 else np.full(len(values), 0.5), (float(np.min(values)), float(np.max(values)))
