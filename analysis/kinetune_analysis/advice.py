"""What a reader should look at in this run, in sentences."""

from __future__ import annotations

from collections import Counter

import numpy as np

from . import ranks
from .run_file import Run

AT_BOUND = 1e-3  # share of the way between the bounds
WIDE_SPREAD = 0.1  # likewise
MAX_NAMES = 8


def failure_reasons(run: Run) -> Counter[str]:
    """Failed starts by reason, and by condition where one is to blame."""
    failed = np.setdiff1d(np.arange(run.n_finished), run.ranking)
    return Counter(_reason(run, row) for row in failed)


def _reason(run: Run, row: int) -> str:
    message = str(run.results["message"][row]) if "message" in run.results else ""
    condition = str(run.results["condition"][row]) if "condition" in run.results else ""
    return (message or "no reason recorded") + (f" (condition {condition})" if condition else "")


def at_bounds(run: Run) -> list[str]:
    """Parameters of the best start that lie on a bound."""
    if run.best is None:
        return []
    place = run.problem.to_unit(run.results["x"][run.best])
    return [run.problem.ids[i] for i in np.flatnonzero((place <= AT_BOUND) | (place >= 1 - AT_BOUND))]


def undetermined(run: Run) -> list[str]:
    """Parameters that differ much between starts whose values are as good as equal (within 2)."""
    n = run.within(2.0)
    if n < 3:
        return []
    place = run.problem.to_unit(run.results["x"][run.ranking[:n]])
    return [run.problem.ids[i] for i in np.flatnonzero(np.ptp(place, axis=0) > WIDE_SPREAD)]


def sentences(run: Run) -> list[str]:
    found = [*_about_progress(run), *_about_minimum(run), *_about_parameters(run)]
    if run.n_failed:
        reason, count = failure_reasons(run).most_common(1)[0]
        found.append(f"{run.n_failed} of {run.n_finished} starts failed; the most frequent reason ({count}): {reason}.")
    if ranks.can_draw(run) and ranks.idle_share(run) > 0.1:
        found.append(f"Ranks were idle for {ranks.idle_share(run):.0%} of their time: fewer ranks, or more starts, "
                     "would use the machine better.")
    return found


def _about_progress(run: Run) -> list[str]:
    if run.is_finished:
        return []
    return [f"The run has not finished: {run.n_finished} of {len(run.starts.get('id', []))} known starts are done. "
            f"`kinetune fit --resume {run.path.name}` goes on with it."]


def _about_minimum(run: Run) -> list[str]:
    if run.best is None:
        return ["No start has a result yet." if run.n_finished == 0 else
                "No start succeeded: look at the reasons below, and at `kinetune check`."]
    near, close = run.within(0.1), run.within(2.0)
    counts = f"{near} of {run.n_finished} starts ended within 0.1 of the best value, {close} within 2."
    if near == 1:
        return [counts, "The best value was found only once: a better one may well exist. Run more starts."]
    if near < 5:
        return [counts, "Few starts agree on the best value: more starts would tell whether it is the lowest."]
    return [counts, "Several independent starts agree on the best value, which is what a global minimum looks like."]


def _about_parameters(run: Run) -> list[str]:
    found = []
    if bound := at_bounds(run):
        found.append(f"At a bound in the best start: {_names(bound)}. "
                     "The data may ask for a value beyond it, or not care.")
    if wide := undetermined(run):
        found.append(f"Equally good starts differ by more than a tenth of the bounds in: {_names(wide)}. "
                     "The data do not determine these.")
    return found


def _names(names: list[str]) -> str:
    rest = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")
