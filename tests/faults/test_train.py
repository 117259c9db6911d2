"""kinetune-train killed, stopped, resumed and given wrong inputs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")  # the training that is watched goes on saving
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of programs side by side would wait for each other
import h5py  # noqa: E402
import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("KINETUNE_TRAIN_PROGRAM", str(ROOT / "build/release/bin/kinetune-train"))
PATIENCE = 300  # seconds after which something hangs
# Small networks: what is tested is how they come through a kill.
METHODS = {
    "cvae": ["--width", "16"],
    "transformer": ["--width", "8", "--heads", "2"],
    "ccgan": ["--width", "16", "--batch-norm", "off"],
    "flow": ["--width", "16"],
}
EPOCHS = 120  # so many that a kill half-way comes in time
OPEN = 3  # code of a trial that is still to be done


def write_points(file: Path, n_runs: int = 8, n_points: int = 20, **replaced: np.ndarray) -> None:
    """Runs that each approach the middle of the box; `replaced` stands in for a dataset of /points."""
    random = np.random.default_rng(1)
    ways = np.geomspace(1, 0.05, n_points)[None, :, None] * random.uniform(-0.5, 0.5, (n_runs, 1, 3))
    x = (0.5 + ways).reshape(-1, 3)
    points = {"x": x, "fval": np.square(x - 0.5).sum(1), "run": np.repeat(np.arange(n_runs, dtype=np.uint32), n_points)}
    with h5py.File(file, "w") as out:
        out["parameters/id"] = ["k1", "k2", "scale"]
        for name, values in (points | replaced).items():
            out[f"points/{name}"] = values


def command(*arguments: object) -> list[str]:
    return [PROGRAM, *map(str, arguments)]


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), text=True, timeout=PATIENCE, capture_output=True, stdin=subprocess.DEVNULL)


def children(parent: int) -> list[int]:
    """Processes that a process has begun and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()  # behind the name: state, parent, ...
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def n_epochs(model: Path) -> int:
    """That the model in the file has behind it; 0 where there is no file yet."""
    try:
        with h5py.File(model) as file:
            return int(file["history/epoch"].shape[0])
    except FileNotFoundError:
        return 0


def weights(model: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with h5py.File(model) as file:
        for group in ("weights", "optimiser"):
            file[group].visititems(note)
    return found


class Training(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "data.h5"
        write_points(self.data)

    def start_and_signal(self, number: signal.Signals, model: Path, options: list[object], epochs: int) -> int:
        """Begins or resumes, sends the signal once the file has so many epochs; returns the exit code."""
        resume = ["--resume", model] if model.exists() else options
        job = subprocess.Popen(command(self.data, "-o", model, "--save-every", 0, *resume), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while job.poll() is None and n_epochs(model) < epochs and time.monotonic() < deadline:
            time.sleep(0.002)
        job.send_signal(number)
        return job.wait(PATIENCE)

    def test_that_is_killed_again_and_again_gives_the_weights_of_one_that_was_not(self) -> None:
        for method, size in METHODS.items():
            with self.subTest(method=method):
                options = ["--method", method, *size, "--epochs", EPOCHS, "--seed", 5]
                whole, killed = self.folder / f"{method}_whole.h5", self.folder / f"{method}_killed.h5"
                self.assertEqual(train(self.data, "-o", whole, *options).returncode, 0)
                for epochs in (1, EPOCHS // 3, EPOCHS // 2):
                    code = self.start_and_signal(signal.SIGKILL, killed, options, epochs)
                    self.assertEqual(code, -signal.SIGKILL, "it had ended before it was killed")
                    self.assertGreaterEqual(n_epochs(killed), epochs)
                resumed = train(self.data, "-o", killed, "--resume", killed)
                self.assertEqual(resumed.returncode, 0, resumed.stderr)
                self.assertEqual(n_epochs(killed), EPOCHS)
                self.assertEqual(weights(killed), weights(whole))

    def test_that_is_asked_to_stop_saves_what_it_has_and_says_so_by_its_exit_code(self) -> None:
        model = self.folder / "model.h5"
        options = ["--method", "flow", "--width", 16, "--epochs", 100000]
        self.assertEqual(self.start_and_signal(signal.SIGTERM, model, options, 2), 1)
        done = n_epochs(model)
        self.assertGreaterEqual(done, 2)
        self.assertEqual(train(self.data, "-o", model, "--resume", model, "--epochs", done + 3).returncode, 0)
        self.assertEqual(n_epochs(model), done + 3)


class Search(unittest.TestCase):
    OPTIONS = ["--search", 6, "--epochs", 3, "--seed", 5, "--processes", 2]

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data, self.model = self.folder / "data.h5", self.folder / "model.h5"
        write_points(self.data)

    def search(self, model: Path) -> dict[str, list]:
        with h5py.File(model) as file:
            return {name: file[f"search/{name}"][:].tolist() for name in ("trial", "status", "score", "options")}

    def n_open(self, model: Path) -> int:
        return self.search(model)["status"].count(OPEN)

    def signal_once(self, number: signal.Signals, ready: Callable[[], bool], *arguments: object, hold: bool = False) -> int:
        """Starts the program and sends the signal once something is so; returns the exit code. With `hold`, one of the
        search's processes is halted as soon as it is there, so that the search cannot end, however slow the disk."""
        job = subprocess.Popen(command(self.data, "-o", self.model, *arguments), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        held: list[int] = []
        deadline = time.monotonic() + PATIENCE
        while job.poll() is None and ((hold and not held) or not (self.model.exists() and ready())) and time.monotonic() < deadline:
            if hold and not held:
                held = children(job.pid)[:1]
                for worker in held:
                    os.kill(worker, signal.SIGSTOP)
            time.sleep(0.002)
        self.assertIsNone(job.poll(), "it had ended before it got the signal")
        job.send_signal(number)
        code = job.wait(PATIENCE)
        for worker in held:  # halted at its very beginning it would outlive a parent that is killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        return code

    def test_that_gets_a_signal_ends_with_its_trials_kept_and_is_resumed_to_the_same_scores(self) -> None:
        whole = self.folder / "whole.h5"
        self.assertEqual(train(self.data, "-o", whole, *self.OPTIONS).returncode, 0)
        for number, code in ((signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(signal=number.name):
                for _ in range(5):  # the process that is halted may have done its trial: then the search goes on, and may end
                    self.model.unlink(missing_ok=True)
                    done = self.signal_once(number, lambda: self.n_open(self.model) < 6, *self.OPTIONS, hold=True)
                    self.assertEqual(done, code)
                    if n_epochs(self.model) == 0:
                        break
                self.assertEqual(n_epochs(self.model), 0, "the search had ended before the signal")
                resumed = train(self.data, "-o", self.model, "--resume", self.model)
                self.assertEqual(resumed.returncode, 0, resumed.stderr)
                self.assertEqual(self.search(self.model), self.search(whole))
                self.assertEqual(weights(self.model), weights(whole))

    def test_stands_in_every_file_of_the_final_training_and_of_one_that_is_resumed(self) -> None:
        options = [*self.OPTIONS[:2], "--epochs", 2 * EPOCHS, "--width", 16, "--save-every", 0]
        code = self.signal_once(signal.SIGKILL, lambda: n_epochs(self.model) > 0, *options)
        self.assertEqual(code, -signal.SIGKILL)
        trials = self.search(self.model)
        self.assertEqual(trials["status"], [0] * 6)
        resumed = train(self.data, "-o", self.model, "--resume", self.model)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual(self.search(self.model), trials)

    def test_is_not_resumed_with_other_data_or_options(self) -> None:
        self.signal_once(signal.SIGTERM, lambda: True, *self.OPTIONS, hold=True)
        other = self.folder / "other.h5"
        write_points(other, n_runs=9)
        for arguments, said in (([other], "other data"), ([self.data, "--epochs", 9], "epochs")):
            result = train(*arguments, "-o", self.model, "--resume", self.model)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(said, result.stderr)


class WrongInputs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def refused(self, *arguments: object) -> str:
        """The one message of a call that must end before it has written anything."""
        before = {p: p.stat().st_mtime_ns for p in self.folder.iterdir()}
        result = train(*arguments)
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.folder.iterdir()}, before)
        return result.stderr

    def test_in_the_data_are_named(self) -> None:
        nan, none = np.full(160, np.nan), np.zeros((0, 3))
        for name, replaced in {
            "no points": {"x": none, "fval": np.zeros(0), "run": np.zeros(0, np.uint32)},
            "lengths that differ": {"fval": np.zeros(7)},
            "no evaluated point": {"fval": nan},
            "outside the box": {"x": np.full((160, 3), 1.5)},
            "labels at infinity": {"label": np.full(160, np.inf)},
        }.items():
            with self.subTest(name):
                data = self.folder / "data.h5"
                write_points(data, **replaced)
                self.assertIn("data.h5", self.refused(data, "-o", self.folder / "model.h5", "--epochs", 3))

    def test_in_the_options_are_named(self) -> None:
        data, model = self.folder / "data.h5", self.folder / "model.h5"
        write_points(data)
        for wrong, said in ((["--epochs", "many"], "epochs"), (["--method", "cvea"], "cvea"), (["--threads", 0], "threads"),
                            (["--validation-share", 1.5], "validation-share"), (["--nonsense", 1], "nonsense"),
                            (["--learning-rate", -1], "learning-rate"),
                            (["--method", "flow", "--likelihood", "bernoulli"], "method flow has no use for likelihood"), (["--resume", self.folder / "none.h5"], "none.h5")):
            with self.subTest(wrong=wrong):
                self.assertIn(said, self.refused(data, "-o", model, *wrong))

    def test_files_that_are_no_models_or_no_data_are_named(self) -> None:
        data, model, text = self.folder / "data.h5", self.folder / "model.h5", self.folder / "text.h5"
        write_points(data)
        text.write_text("no HDF5")
        self.assertIn("text.h5", self.refused(text, "-o", model))
        self.assertIn("text.h5", self.refused(data, "-o", model, "--resume", text))
        self.assertIn("none.h5", self.refused(self.folder / "none.h5", "-o", model))
        self.assertIn("text.h5: exists already", self.refused(data, "-o", text))


if __name__ == "__main__":
    unittest.main()
