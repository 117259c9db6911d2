"""The shipped problem's data are what its script makes, and its script solves the published model."""

import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("KINETUNE_SHARED", ROOT.parent / "shared"))
PUBLISHED = SHARED / "data/time-courses/Smallbone2013_Serinebiosynthesis/Smallbone2013_-_Serine_biosynthesis_dataset.csv"
sys.path.insert(0, str(ROOT / "inputs/serine"))

import simulate_data  # noqa: E402


def read_rows(path: Path, delimiter: str) -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def truth() -> dict[str, float]:
    return {row["parameterId"]: float(row["nominalValue"]) for row in simulate_data.read_table("parameters.tsv")}


class Serine(unittest.TestCase):
    def test_the_script_makes_the_shipped_measurements(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "measurements.tsv"
            subprocess.run([sys.executable, ROOT / "inputs/serine/simulate_data.py", "-o", made], check=True)
            rows = read_rows(made, "\t")
        shipped = read_rows(ROOT / "inputs/serine/measurements.tsv", "\t")
        self.assertEqual([row[:3] + row[4:] for row in rows], [row[:3] + row[4:] for row in shipped])
        # Another version of the integrator may change the last of four digits.
        np.testing.assert_allclose([float(row[3]) for row in rows[1:]], [float(row[3]) for row in shipped[1:]], rtol=2e-3)

    def test_the_published_steady_state_is_reached(self) -> None:
        published = simulate_data.read_conditions()["published"]
        php, pser, rate = simulate_data.simulate(published, truth(), [1000.0])
        v_pdh, v_psa, v_psp = simulate_data.rates(php[0], pser[0], published, truth())
        np.testing.assert_allclose([v_psa, v_psp, rate[0]], v_pdh, rtol=1e-6)

    @unittest.skipUnless(PUBLISHED.exists(), "the public time course is not here; KINETUNE_SHARED names its folder")
    def test_the_public_time_course_is_reproduced(self) -> None:
        times, published_php, published_pser = np.array(read_rows(PUBLISHED, ",")[1:], dtype=float).T
        php, pser, _ = simulate_data.simulate(simulate_data.read_conditions()["published"], truth(), list(times))
        np.testing.assert_allclose(php, published_php, rtol=1e-3)
        np.testing.assert_allclose(pser, published_pser, rtol=1e-3)


if __name__ == "__main__":
    unittest.main()
