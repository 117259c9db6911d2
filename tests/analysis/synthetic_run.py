"""Result files as kinetune writes them, made up. By default one of a finished, ordinary study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

STATUS = h5py.enum_dtype({"converged": 0, "limit_reached": 1, "stalled": 2, "stopped": 3, "failed": 4}, basetype="i1")
TEXT = h5py.string_dtype()


@dataclass
class Shape:
    n_starts: int = 60
    n_parameters: int = 13
    n_observables: int = 3
    n_conditions: int = 4
    n_ranks: int = 2
    share_failed: float = 0.08
    has_ended: bool = True
    has_fit: bool = True
    has_curves: bool = True
    has_steady_state: bool = False
    transformation: str | None = "log10"
    seed: int = 1


def write_run(path: Path, shape: Shape = Shape()) -> Path:
    random = np.random.default_rng(shape.seed)
    with h5py.File(path, "w") as file:
        _write_attributes(file, shape)
        _write_problem(file, shape)
        fval = _write_results(file, shape, random)
        _write_trace(file, fval, random)
        _write_ranks(file, shape, random)
        if shape.has_fit:
            _write_fit(file, shape, random)
    return path


def _texts(group: h5py.Group, name: str, values: list[str]) -> None:
    group.create_dataset(name, data=np.array(values, dtype=object), dtype=TEXT)


def _write_attributes(file: h5py.File, shape: Shape) -> None:
    file.attrs.update({
        "format_version": 1, "kinetune_version": "0.1.0", "seed": shape.seed, "inputs_checksum": "9f" * 16,
        "command_line": "kinetune fit problem.yaml --starts 60 -o run.h5",
        "study": "problem: problem.yaml\nstarts: 60\noptimizer: blmvm\n",
        "start_time": "2026-01-02T03:04:05Z", "end_time": "2026-01-02T03:05:06Z" if shape.has_ended else "",
    })


def _write_problem(file: h5py.File, shape: Shape) -> None:
    group, n = file.create_group("problem"), shape.n_parameters
    ids = [f"k_{i}" if i % 3 else f"a_rather_long_parameter_{i}" for i in range(n)]
    _texts(group, "parameter_ids", ids)
    _texts(group, "parameter_names", [f"rate <{i}> & co" for i in range(n)])
    _texts(group, "scales", ["log10" if i % 5 else "lin" for i in range(n)])
    group["lower_bounds"], group["upper_bounds"] = np.full(n, -3.0), np.full(n, 2.0)
    nominal = np.linspace(-2.5, 1.5, n)
    nominal[-1:] = np.nan
    group["nominal"] = nominal


def _write_results(file: h5py.File, shape: Shape, random: np.random.Generator) -> np.ndarray:
    n = shape.n_starts
    plateau = random.choice([0.0, 1.3, 14.0, 210.0], size=n, p=[0.4, 0.2, 0.25, 0.15])
    fval = -215.4 + plateau + random.exponential(0.02, n) * (1 + plateau)
    is_failed = random.random(n) < shape.share_failed
    fval[is_failed] = np.nan
    x = np.linspace(-2.5, 1.5, shape.n_parameters) + random.normal(0, 0.02, (n, shape.n_parameters))
    x += 0.3 * np.sqrt(plateau)[:, None] * random.normal(0, 0.3, (n, shape.n_parameters))
    x[:, -1] = random.uniform(-3, 2, n)
    x[is_failed] = np.nan
    starts = file.create_group("starts")
    starts["id"], starts["f0"] = np.arange(n, dtype="u8"), random.uniform(500, 1e5, n)
    starts["x0"] = random.uniform(-3, 2, (n, shape.n_parameters))
    _texts(starts, "source", ["lhs"] * n)
    group = file.create_group("results")
    group["start_id"] = random.permutation(n).astype("u8")
    group["x"], group["fval"], group["fval0"] = np.clip(x, -3, 2), fval, starts["f0"][:]
    group["gradient_norm"] = np.where(is_failed, np.nan, random.exponential(1e-5, n))
    status = np.where(is_failed, 4, random.choice([0, 1, 2], size=n, p=[0.8, 0.15, 0.05])).astype("i1")
    group.create_dataset("status", data=status, dtype=STATUS)
    reasons = random.choice(["too many steps", "objective is not finite"], size=n)
    _texts(group, "message", [str(reason) if failed else "" for reason, failed in zip(reasons, is_failed)])
    _texts(group, "condition", ["dose_2" if failed else "" for failed in is_failed])
    for name in ("n_iterations", "n_fval", "n_grad", "n_hess"):
        group[name] = random.integers(40, 400, n)
    group["time"] = np.where(is_failed, 3.2, np.nan)
    group["wall_seconds"] = random.exponential(0.5, n)
    group["cpu_seconds"], group["rank"] = group["wall_seconds"][:], random.integers(0, shape.n_ranks, n)
    return fval


def _write_trace(file: h5py.File, fval: np.ndarray, random: np.random.Generator) -> None:
    group = file.create_group("trace")
    lengths = np.where(np.isfinite(fval), random.integers(20, 120, len(fval)), 0)
    group["start_id"], group["length"] = file["results/start_id"][:], lengths.astype("u8")
    group["offset"] = (np.cumsum(lengths) - lengths).astype("u8")
    steps = [np.arange(length) for length in lengths]
    ends = zip(steps, fval, lengths)
    values = [end + 3000 * np.exp(-9 * step / max(length, 1)) - 3000 * np.exp(-9) for step, end, length in ends]
    flat = np.concatenate(steps) if len(steps) else np.empty(0)
    group["iteration"], group["n_fval"], group["seconds"] = flat.astype("u8"), (flat * 1.2).astype("u8"), flat * 0.004
    group["fval"] = np.concatenate(values) if len(values) else np.empty(0)
    group["gradient_norm"] = np.exp(-flat / 10)
    group["x"] = np.zeros((len(flat), 1))


def _write_ranks(file: h5py.File, shape: Shape, random: np.random.Generator) -> None:
    group, n = file.create_group("ranks"), shape.n_ranks
    group["session"], group["rank"] = np.zeros(n, dtype="u8"), np.arange(n, dtype="u8")
    _texts(group, "host", ["node1"] * n)
    group["busy_seconds"], group["idle_seconds"] = random.uniform(50, 58, n), random.uniform(0.5, 4, n)
    group["n_starts"] = np.full(n, shape.n_starts // n)


def _write_fit(file: h5py.File, shape: Shape, random: np.random.Generator) -> None:
    points = [(o, c, t) for o in range(shape.n_observables) for c in range(shape.n_conditions)
              for t in (*np.linspace(1, 60, 8), *([np.inf] if shape.has_steady_state else []))]
    group, sigma = file.create_group("fit"), 0.05
    simulation = np.array([_curve(*point) for point in points])
    _texts(group, "observable_id", [f"observable_{o}" for o, _, _ in points])
    _texts(group, "condition_id", [f"dose_{c}" for _, c, _ in points])
    _texts(group, "preequilibration_condition_id", ["" for _ in points])
    group["time"], group["simulation"] = np.array([t for _, _, t in points]), simulation
    group["sigma"] = np.full(len(points), sigma)
    group["measurement"] = simulation * 10 ** random.normal(0, sigma, len(points))
    if shape.transformation:
        _texts(group, "transformation", [shape.transformation] * len(points))
    if shape.has_curves:
        fine = [(o, c, t) for o, c, _ in dict.fromkeys((o, c, 0) for o, c, _ in points) for t in np.linspace(0, 60, 100)]
        curves = group.create_group("curves")
        _texts(curves, "observable_id", [f"observable_{o}" for o, _, _ in fine])
        _texts(curves, "condition_id", [f"dose_{c}" for _, c, _ in fine])
        curves["time"], curves["simulation"] = np.array([t for *_, t in fine]), np.array([_curve(*p) for p in fine])


def _curve(observable: int, condition: int, time: float) -> float:
    time = min(time, 1e3)
    return 0.1 + (observable + 1) * (1 - np.exp(-0.05 * (condition + 1) * time)) * np.exp(-0.01 * observable * time)
