"""The report of made-up runs: what it says must be what was put into the file."""

import re
import subprocess
import sys
import tempfile
import unittest
import warnings
from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np

from synthetic_run import Shape, write_run

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path.insert(0, str(ANALYSIS))

from kinetune_analysis import advice, fit, parameters, style  # noqa: E402
from kinetune_analysis.page import render  # noqa: E402
from kinetune_analysis.run_file import Run, read_run  # noqa: E402


class _Outline(HTMLParser):
    """Headings, image sources and unbalanced tags of a page."""

    VOID = {"meta", "img", "br"}

    def __init__(self, page: str):
        super().__init__()
        self.headings: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attributes if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


class ReportTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "run.h5"
        caught = warnings.catch_warnings()
        caught.__enter__()
        self.addCleanup(caught.__exit__, None, None, None)
        warnings.simplefilter("error")  # a warning of NumPy or Matplotlib would puzzle whoever makes a report

    def make(self, **shape: object) -> Run:
        return read_run(write_run(self.path, Shape(**shape)))

    def outline(self, run: Run) -> _Outline:
        outline = _Outline(render(run))
        self.assertEqual(outline.open, [])
        return outline

    def test_a_finished_run_has_every_section_and_no_link_outside(self) -> None:
        outline = self.outline(self.make())
        self.assertEqual(outline.headings, ["What to look at", "Waterfall", "Parameters of the best starts", "Fit", "Traces",
                                            "Ranks", "Best starts", "Parameter values", "Endings", "Study"])
        self.assertEqual(len(outline.sources), 5)
        self.assertTrue(all(source.startswith("data:image/svg+xml;base64,") for source in outline.sources))

    def test_the_best_start_is_the_lowest_finite_value_of_the_file(self) -> None:
        run = self.make()
        with h5py.File(self.path) as file:
            fval, ids = file["results/fval"][:], file["results/start_id"][:]
        best = ids[np.nanargmin(fval)]
        self.assertEqual(run.results["start_id"][run.best], best)
        first_row = re.search(r"Best starts.*?<tbody><tr><td class=text>(\d+)<", render(run), re.DOTALL)
        self.assertEqual(int(first_row[1]), best)

    def test_failures_are_counted_by_reason(self) -> None:
        run = self.make(share_failed=0.5)
        with h5py.File(self.path) as file:
            expected = int(np.sum(np.isnan(file["results/fval"][:])))
        self.assertEqual(run.n_failed, expected)
        self.assertEqual(sum(advice.failure_reasons(run).values()), expected)
        self.assertIn("too many steps (condition dose_2)", render(run))

    def test_values_of_parameters_are_shown_on_the_linear_scale(self) -> None:
        problem = self.make(n_parameters=3).problem  # scales lin, log10, log10
        np.testing.assert_allclose(problem.to_linear(np.array([-2.0, -2.0, 1.0])), [-2.0, 0.01, 10.0])
        self.assertEqual(parameters.bounds_text(problem, 1), "0.001 … 100")

    def test_natural_logarithms_are_undone_too(self) -> None:
        problem = self.make(n_parameters=1).problem
        problem.scales = ["log"]
        np.testing.assert_allclose(problem.to_linear(np.array([1.0])), [np.e])

    def test_a_parameter_that_good_starts_disagree_on_is_named_and_no_other(self) -> None:
        run = self.make(share_failed=0)
        run.results["x"][:] = 0.0
        run.results["x"][:, 4] = np.linspace(-1, 1, run.n_finished)
        self.assertEqual(advice.undetermined(run), [run.problem.ids[4]])

    def test_a_parameter_at_its_bound_is_named_and_no_other(self) -> None:
        run = self.make()
        run.results["x"][run.best] = 0.0
        run.results["x"][run.best, 2] = run.problem.upper[2]
        self.assertEqual(advice.at_bounds(run), [run.problem.ids[2]])

    def test_names_cannot_break_the_page(self) -> None:
        page = render(self.make())
        self.assertIn("rate &lt;1&gt; &amp; co", page)
        self.assertNotIn("rate <1>", page)

    def test_a_run_that_goes_on_says_how_far_it_is(self) -> None:
        run = self.make(has_ended=False)
        self.assertTrue(any("has not finished: 60 of 60" in sentence for sentence in advice.sentences(run)))
        self.outline(run)

    def test_columns_that_a_writer_has_not_all_appended_to_are_cut_to_the_same_length(self) -> None:
        write_run(self.path)
        with h5py.File(self.path, "r+") as file:
            short = file["results/fval"][:-1]
            del file["results/fval"]
            file["results/fval"] = short
        run = read_run(self.path)
        self.assertEqual({len(column) for column in run.results.values()}, {59})

    def test_a_run_without_success_says_so_and_draws_no_waterfall(self) -> None:
        run = self.make(share_failed=1.1, has_fit=False)
        outline = self.outline(run)
        self.assertNotIn("Waterfall", outline.headings)
        self.assertIn("No start succeeded: look at the reasons below, and at `kinetune check`.", advice.sentences(run))

    def test_sparse_files_make_a_page(self) -> None:
        for shape in ({"n_starts": 0, "has_fit": False}, {"n_starts": 1, "n_parameters": 1, "share_failed": 0},
                      {"n_starts": 3, "has_curves": False, "has_steady_state": True, "transformation": None}):
            with self.subTest(**shape):
                self.outline(self.make(**shape))

    def test_a_large_run_makes_a_page_that_a_browser_can_take(self) -> None:
        run = self.make(n_starts=5000, n_parameters=300, n_conditions=20, n_observables=60, n_ranks=300)
        page = render(run)
        self.assertLess(len(page), 20e6)
        self.assertIn("12 more observables are not drawn", page)
        self.assertIn("the 20 conditions in the order of the file", fit.remarks(run))

    def test_a_selection_of_lines_holds_the_best_and_reaches_the_worst(self) -> None:
        selection = style.spread_selection(5000, 50, 200)
        self.assertEqual(list(selection[:50]), list(range(50)))
        self.assertEqual(selection[-1], 4999)
        self.assertEqual(len(selection), 200)

    def test_error_bars_of_logarithmic_noise_are_a_factor(self) -> None:
        run = self.make(n_observables=1, n_conditions=1, transformation="log10")
        [figure] = fit.draw(run)
        [container] = figure.axes[0].containers
        segments = container.lines[2][0].get_segments()
        np.testing.assert_allclose([top / bottom for (_, bottom), (_, top) in segments], 10 ** (2 * 0.05))
        self.assertEqual(figure.axes[0].get_yscale(), "log")

    def test_the_program_writes_beside_the_run_and_refuses_other_files(self) -> None:
        write_run(self.path)
        run = subprocess.run([sys.executable, ANALYSIS / "report.py", self.path], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue(self.path.with_suffix(".html").read_text().startswith("<!DOCTYPE html>"))
        for name, content in {"text.h5": b"no HDF5", "missing.h5": None}.items():
            other = self.path.with_name(name)
            if content:
                other.write_bytes(content)
            run = subprocess.run([sys.executable, ANALYSIS / "report.py", other], capture_output=True, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn(name, run.stderr)
            self.assertNotIn("Traceback", run.stderr)


if __name__ == "__main__":
    unittest.main()
