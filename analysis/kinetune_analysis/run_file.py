"""A run's HDF5 file as plain arrays. Whatever a file does not hold (yet) is empty here, never an error."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")  # a run that still writes must not keep readers out
import h5py  # noqa: E402

Table = dict[str, np.ndarray]

TO_LINEAR = {"lin": lambda x: x, "log10": lambda x: 10.0**x, "log": np.exp}


@dataclass
class Problem:
    """What is estimated. Numbers are on the parameter scale."""

    ids: list[str]
    names: list[str]
    scales: list[str]  # lin, log or log10
    lower: np.ndarray  # (n_parameters)
    upper: np.ndarray  # (n_parameters)
    nominal: np.ndarray  # (n_parameters), NaN where there is none

    def to_linear(self, x: np.ndarray) -> np.ndarray:
        """x (n_parameters) from the parameter scale to the linear one."""
        return np.array([TO_LINEAR[scale](value) for scale, value in zip(self.scales, x)])

    def to_unit(self, x: np.ndarray) -> np.ndarray:
        """x (…, n_parameters) as a share of the way from lower to upper bound; 0.5 where a bound is infinite."""
        width = self.upper - self.lower
        usable = np.isfinite(width) & (width > 0)
        with np.errstate(invalid="ignore"):
            return np.where(usable, (x - self.lower) / np.where(usable, width, 1), 0.5)


@dataclass
class Run:
    """One study. Tables hold a column a key, all of the same length."""

    path: Path
    attributes: dict[str, Any]
    problem: Problem
    starts: Table
    results: Table  # in the order in which starts finished
    trace: Table  # flat iterates
    trace_index: Table  # start_id, offset, length
    ranks: Table
    fit: Table
    curves: Table
    ranking: np.ndarray  # rows of `results` with a finite fval, lowest first

    @property
    def fvals(self) -> np.ndarray:
        """(n_successful), ascending."""
        return self.results["fval"][self.ranking] if len(self.ranking) else np.empty(0)

    @property
    def best(self) -> int | None:
        """Row of the best result."""
        return int(self.ranking[0]) if len(self.ranking) else None

    @property
    def n_finished(self) -> int:
        return table_length(self.results)

    @property
    def n_failed(self) -> int:
        return self.n_finished - len(self.ranking)

    @property
    def is_finished(self) -> bool:
        return bool(self.attributes.get("end_time"))

    def within(self, distance: float) -> int:
        """Number of starts that ended at most `distance` above the best."""
        return int(np.sum(self.fvals <= self.fvals[0] + distance)) if len(self.ranking) else 0


def table_length(table: Table) -> int:
    return len(next(iter(table.values()))) if table else 0


def read_run(path: Path) -> Run:
    """Raises SystemExit with a plain message when the file is none of kinetune's."""
    try:
        with h5py.File(path, "r") as file:
            if "problem" not in file:
                raise SystemExit(f"{path}: no group /problem; is this a result file of kinetune fit?")
            return _read(path, file)
    except OSError as error:
        raise SystemExit(f"{path}: cannot be read as HDF5 ({error})") from error


def _read(path: Path, file: h5py.File) -> Run:
    problem = _table(file, "problem")
    ids = list(problem["parameter_ids"])
    n_parameters = len(ids)
    results = _table(file, "results")
    fval = results.get("fval", np.empty(0))
    order = np.argsort(fval, kind="stable")
    trace = _table(file, "trace") | _table(file, "trace/index")
    return Run(
        path=path,
        attributes={key: _attribute(value) for key, value in file.attrs.items()},
        problem=Problem(
            ids=ids,
            names=list(problem.get("parameter_names", ids)),
            scales=list(problem.get("scales", ["lin"] * n_parameters)),
            lower=problem["lower_bounds"],
            upper=problem["upper_bounds"],
            nominal=problem.get("nominal", np.full(n_parameters, np.nan)),
        ),
        starts=_table(file, "starts"),
        results=results,
        trace={key: column for key, column in trace.items() if key not in {"start_id", "offset", "length"}},
        trace_index={key: trace[key] for key in ("start_id", "offset", "length") if key in trace},
        ranks=_table(file, "ranks"),
        fit=_table(file, "fit"),
        curves=_table(file, "fit/curves"),
        ranking=order[np.isfinite(fval[order])],
    )


def _table(file: h5py.File, name: str) -> Table:
    if name not in file:
        return {}
    columns = {key: _column(item) for key, item in file[name].items() if isinstance(item, h5py.Dataset)}
    if name == "problem" or not columns:
        return columns
    # A run that still writes may have appended to some columns only.
    is_ragged = "offset" in columns
    shortest = min(map(len, columns.values()))
    return columns if is_ragged else {key: column[:shortest] for key, column in columns.items()}


def _column(dataset: h5py.Dataset) -> np.ndarray:
    names = h5py.check_enum_dtype(dataset.dtype)
    if names:
        by_value = {value: name for name, value in names.items()}
        return np.array([by_value[value] for value in dataset[:]], dtype=object)
    if dataset.dtype.kind in "SO":
        return np.array([_attribute(value) for value in dataset[:]], dtype=object)
    return dataset[:]


def _attribute(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value.item() if isinstance(value, np.generic) else value
