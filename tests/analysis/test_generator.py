"""The page of a made-up model: what it shows must be what was put into the file."""

import sys
import tempfile
import unittest
import unittest.mock
import warnings
from pathlib import Path

import h5py
import numpy as np

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path.insert(0, str(ANALYSIS))

from kinetune_analysis import generator, generator_figures as figures  # noqa: E402
from kinetune_analysis.style import plt  # noqa: E402


def write_model(path: Path, has_search: bool = True, has_measures: bool = True, n_latent: int = 4) -> Path:
    """As kinetune-train writes one."""
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs["options"] = "method: cvae\nepochs: 5\n"
        history = file.create_group("history")
        history["epoch"] = np.arange(1, 6)
        for side in ("train", "validation"):
            for part in ("loss", "reconstruction", "divergence"):
                history[f"{side}_{part}"] = random.random(5)
        if has_measures:
            measures = file.create_group("measures")
            measures.attrs["points"] = "held out"
            measures["latent"] = random.normal(size=(100, n_latent))
            measures["latent_label"] = random.random(100)
            for key in ("generated_to_training", "generated_to_best", "held_out_to_training"):
                measures[key] = random.random(50)
        if has_search:
            search = file.create_group("search")
            for key in figures.SEARCHED:
                search[key] = random.random(8)
            search["score"][3] = np.nan
    return path


class GeneratorPage(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.h5"
        caught = warnings.catch_warnings()
        caught.__enter__()
        self.addCleanup(caught.__exit__, None, None, None)
        warnings.simplefilter("error")

    def headings(self, **contents: object) -> list[str]:
        page = generator.render(generator.read_model(write_model(self.path, **contents)))
        return [part.split("</h2>")[0] for part in page.split("<h2>")[1:]]

    def test_a_full_file_has_every_figure(self) -> None:
        self.assertEqual(self.headings(), ["Training", "Latent space", "Distances", "Search", "Options"])

    def test_what_a_file_lacks_has_no_figure(self) -> None:
        self.assertEqual(self.headings(has_search=False, has_measures=False), ["Training", "Options"])

    def test_another_file_is_refused_with_a_plain_message(self) -> None:
        with h5py.File(self.path, "w") as file:
            file["x"] = 1
        with self.assertRaisesRegex(SystemExit, "is this a model file"):
            generator.read_model(self.path)

    def test_label_bins_are_tenths_and_the_last_holds_one(self) -> None:
        np.testing.assert_array_equal(figures.label_bins(np.array([0, 0.05, 0.1, 0.3, 0.95, 1])), [0, 0, 1, 3, 9, 9])

    def test_a_plane_of_principal_components_keeps_the_widest_directions(self) -> None:
        random = np.random.default_rng(2)
        latent = random.normal(size=(200, 5)) * np.array([0.1, 5, 0.1, 3, 0.1])
        with unittest.mock.patch.dict(sys.modules, {"umap": None, "sklearn.manifold": None}):
            points, method = figures.plane(latent)
        self.assertIn("principal components", method)
        self.assertGreater(abs(np.corrcoef(points[:, 0], latent[:, 1])[0, 1]), 0.99)
        self.assertGreater(abs(np.corrcoef(points[:, 1], latent[:, 3])[0, 1]), 0.99)

    def test_a_density_is_that_of_a_normal_sample(self) -> None:
        values = np.random.default_rng(3).normal(size=20000)
        np.testing.assert_allclose(figures.kernel_density(values, np.array([0.0, 1.0])), [0.3989, 0.2420], atol=0.012)

    def test_the_best_trial_is_the_black_line(self) -> None:
        model = generator.read_model(write_model(self.path))
        figure = figures.parallel_coordinates(model.search)
        lines = figure.axes[0].lines
        self.assertEqual(len(lines), 7)  # one of eight has no score
        [black] = [line for line in lines if isinstance(line.get_color(), str)]  # others are of a map
        self.assertEqual(black.get_ydata()[-1], 0)
        plt.close(figure)


if __name__ == "__main__":
    unittest.main()
