"""A generative model's file: reading it, and its page. What a file does not hold has no figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from . import generator_figures as figures
from .page import CSS
from .run_file import Table, h5py
from .style import embed


@dataclass
class Model:
    """Groups of the file hold a column a key."""

    path: Path
    options: dict[str, str]
    history: Table
    measures: Table = field(default_factory=dict)
    measured_points: str = ""  # held out or training
    search: Table = field(default_factory=dict)


def read_model(path: Path) -> Model:
    """Raises SystemExit with a plain message when the file is no model."""
    try:
        with h5py.File(path, "r") as file:
            if "history" not in file or "options" not in file.attrs:
                raise SystemExit(f"{path}: no group /history; is this a model file of kinetune-train?")
            lines = str(file.attrs["options"]).splitlines()
            measures = file.get("measures")
            return Model(
                path=path,
                options=dict(line.split(": ", 1) for line in lines),
                history=_columns(file["history"]),
                measures=_columns(measures) if measures else {},
                measured_points=str(measures.attrs["points"]) if measures else "",
                search=_columns(file["search"]) if "search" in file else {},
            )
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read as HDF5 ({error})") from error


def _columns(group: h5py.Group) -> Table:
    return {key: item[:] for key, item in group.items()}


def render(model: Model) -> str:
    title = f"kinetune-train: {escape(model.path.name)}"
    body = [f"<h1>{escape(model.path.name)} <small>{escape(model.options.get('method', ''))}</small></h1>"]
    for heading, what, figure in _sections(model):
        body.append(f'<h2>{heading}</h2>\n<p class="what">{escape(what)}</p>\n{embed(figure, heading)}')
    options = "\n".join(f"{key}: {value}" for key, value in model.options.items())
    body.append(f"<h2>Options</h2>\n<pre>{escape(options)}</pre>")
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{title}</title><style>{CSS}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n")


def _sections(model: Model):
    if len(model.history["epoch"]):
        yield ("Training", "Losses over epochs; held-out runs take no part in training.", figures.losses(model.history))
    if "latent" in model.measures and len(model.measures["latent"]) > 2:
        points, method = figures.plane(model.measures["latent"])
        yield ("Latent space", f"Of {model.measured_points} points, by {method}; colours are labels in steps of 0.1, "
               "0 the best.", figures.latent_map(points, model.measures["latent_label"]))
    if "generated_to_training" in model.measures:
        yield ("Distances", "From each vector to its nearest training point. Where generated vectors are nearer than "
               "held-out points are, the model repeats what it has seen.", figures.distances(model.measures))
    if model.search:
        yield ("Search", "Each line is one trial of the search, the best in black.", figures.parallel_coordinates(model.search))
