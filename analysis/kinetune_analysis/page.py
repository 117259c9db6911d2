"""The report: one HTML page that needs no other file."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from html import escape

import numpy as np

from . import advice, fit, parameters, ranks, traces, waterfall
from .run_file import Run, table_length
from .style import embed

N_BEST = 10  # starts in the table of starts
N_COLUMNS = 3  # starts in the table of parameters
LONG_TABLE = 40  # rows; a longer table is folded

CSS = """
body { font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #222; max-width: 60rem;
       margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: 0; } h1 small { font-weight: normal; color: #777; font-size: 1rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .4rem; border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
p.what { color: #555; margin: .2rem 0 .8rem; }
img { height: auto; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0; }
dt { color: #777; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #eee; }
th { color: #555; font-weight: 600; border-bottom: 1px solid #bbb; vertical-align: bottom; }
th.text, td.text { text-align: left; }
.look { background: #f3f7fb; border-left: 4px solid #0072B2; padding: .6rem 1.2rem; }
.look ul { margin: 0; padding-left: 1.1rem; }
code, pre { font: .86rem ui-monospace, Consolas, monospace; } pre { background: #f6f6f6; padding: .8rem; overflow-x: auto; }
details { margin: .5rem 0; } summary { cursor: pointer; color: #0072B2; }
"""


def render(run: Run) -> str:
    title = f"kinetune: {escape(run.path.name)}"
    body = [_header(run), _look(run), *_figures(run), _best_starts(run), _parameter_table(run), _endings(run), _study(run)]
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            f"<title>{title}</title><style>{CSS}</style></head>\n<body>\n" + "\n".join(filter(None, body))
            + "\n</body></html>\n")


def _section(title: str, what: str, content: str) -> str:
    return f"<h2>{title}</h2>\n<p class=\"what\">{what}</p>\n{content}"


def _table(head: list[str], rows: list[list[str]], n_text_columns: int = 1) -> str:
    """Cells are text; the first columns are set to the left. A long table is folded."""

    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag}{" class=text" if i < n_text_columns else ""}>{escape(cell)}</{tag}>'
                                for i, cell in enumerate(cells)) + "</tr>"

    table = ("<div class=\"scroll\"><table><thead>" + line(head, "th") + "</thead><tbody>"
             + "\n".join(line(row, "td") for row in rows) + "</tbody></table></div>")
    return f"<details><summary>{len(rows)} rows</summary>{table}</details>" if len(rows) > LONG_TABLE else table


def number(value: float, digits: int = 6) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}g}".replace("-", "−")


def _header(run: Run) -> str:
    attributes = run.attributes
    entries = {
        "Command": f"<code>{escape(str(attributes.get('command_line', '')))}</code>",
        "kinetune": escape(str(attributes.get("kinetune_version", ""))),
        "Parameters": str(len(run.problem.ids)),
        "Starts": f"{run.n_finished} finished, {run.n_failed} of them failed",
        "Seed": escape(str(attributes.get("seed", ""))),
        "Began": _moment(attributes.get("start_time")),
        "Ended": _moment(attributes.get("end_time")) or "not yet",
        "Took": _duration(run),
        "Inputs": f"<code>{escape(str(attributes.get('inputs_checksum', '')))}</code>",
    }
    lines = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in entries.items() if value)
    best = f" <small>best fval {number(run.fvals[0], 8)}</small>" if run.best is not None else ""
    return f"<h1>{escape(run.path.name)}{best}</h1>\n<dl>{lines}</dl>"


def _moment(value: object) -> str:
    parsed = _parse_time(value)
    return parsed.strftime("%Y-%m-%d %H:%M:%S %Z") if parsed else escape(str(value or ""))


def _parse_time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None


def _duration(run: Run) -> str:
    times = [_parse_time(run.attributes.get(key)) for key in ("start_time", "end_time")]
    wall = f"{(times[1] - times[0]).total_seconds():,.0f} s of wall time" if all(times) else ""
    if "cpu_seconds" not in run.results or run.n_finished == 0:
        return wall
    cpu = f"{np.nansum(run.results['cpu_seconds']):,.1f} s of CPU time in starts"
    return f"{wall}, {cpu}" if wall else cpu


def _look(run: Run) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in advice.sentences(run))
    return f'<h2>What to look at</h2>\n<div class="look"><ul>{items}</ul></div>'


def _figures(run: Run) -> list[str]:
    sections = []
    if run.best is not None:
        sections.append(_section(
            "Waterfall", "Final values of all starts. A step that many starts share is a minimum; the wider the lowest "
            "step, the surer it is the global one.", embed(waterfall.draw(run), "Waterfall of final values")))
        sections.append(_section(
            "Parameters of the best starts", "Each line is one start. Where lines of equal colour lie apart, the data do "
            "not determine the parameter. " + _shown_text(run), embed(parameters.draw(run), "Parameters of the best starts")))
    if fit.can_draw(run):
        what = "The best start: measurements with one standard deviation, and the simulation." + fit.remarks(run)
        sections.append(_section("Fit", what, "\n".join(embed(page, "Fit against the data") for page in fit.draw(run))))
    if traces.can_draw(run):
        sections.append(_section(
            "Traces", "How each start came down. Lines that still fall where they end were stopped too early.",
            embed(traces.draw(run), "Traces of the optimisations")))
    if ranks.can_draw(run):
        sections.append(_section(
            "Ranks", f"What the MPI ranks did with their time: {ranks.idle_share(run):.1%} of it was idle.",
            embed(ranks.draw(run), "Busy and idle time of the ranks")))
    return sections


def _shown_text(run: Run) -> str:
    return f"The {len(parameters.shown(run))} best of {len(run.ranking)} starts; bounds on the right, on the linear scale."


def _best_starts(run: Run) -> str:
    if run.best is None:
        return ""
    columns = {"start_id": "start", "status": "ended", "fval": "fval", "gradient_norm": "gradient norm",
               "n_iterations": "iterations", "n_fval": "evaluations", "wall_seconds": "seconds", "rank": "rank"}
    present = [key for key in columns if key in run.results]
    rows = []
    for row in run.ranking[:N_BEST]:
        cells = [_cell(run.results[key][row], 8 if key == "fval" else 3) for key in present]
        rows.append([*cells, number(run.results["fval"][row] - run.fvals[0], 3)])
    return _section("Best starts", f"The first {len(rows)} in the order of their values.",
                    _table([*(columns[key] for key in present), "above best"], rows, n_text_columns=2))


def _cell(value: object, digits: int) -> str:
    return number(float(value), digits) if isinstance(value, (float, np.floating)) else str(value)


def _parameter_table(run: Run) -> str:
    if run.best is None:
        return ""
    problem, shown = run.problem, run.ranking[:N_COLUMNS]
    scaled = [run.results["x"][row] for row in shown]
    linear = [problem.to_linear(x) for x in scaled]
    nominal = problem.to_linear(problem.nominal)
    names = [f"start {run.results['start_id'][row]}" for row in shown]
    head = ["parameter", "name", "scale", "nominal"]
    for name in names:
        head += [name, "on its scale"]
    rows = []
    for i, parameter in enumerate(problem.ids):
        cells = [parameter, problem.names[i] if problem.names[i] != parameter else "", problem.scales[i], number(nominal[i])]
        for x, value in zip(scaled, linear):
            cells += [number(value[i]), number(x[i])]
        rows.append(cells)
    return _section("Parameter values", "Linear, and on the scale of optimisation, best start first.",
                    _table(head, rows, n_text_columns=3))


def _endings(run: Run) -> str:
    if table_length(run.results) == 0:
        return ""
    status = Counter(map(str, run.results.get("status", [])))
    content = _table(["how starts ended", "starts"], [[key, str(count)] for key, count in status.most_common()])
    if run.n_failed:
        reasons = advice.failure_reasons(run).most_common()
        content += "<p></p>" + _table(["reason of failure", "starts"], [[key, str(count)] for key, count in reasons])
    return _section("Endings", "All finished starts.", content)


def _study(run: Run) -> str:
    text = str(run.attributes.get("study", "")).strip()
    return f"<h2>Study</h2>\n<pre>{escape(text)}</pre>" if text else ""
