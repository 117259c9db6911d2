"""Runs the real program, alone or under mpirun, and reads what it leaves. Used by the tests of this folder."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")  # a run that still writes must not keep readers out
import h5py  # noqa: E402
import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("KINETUNE_PROGRAM", str(ROOT / "build/release/bin/kinetune"))
SERINE = ROOT / "inputs/serine"
# For runs that are compared: what is measured to be the fastest may differ between them.
SAME_METHOD = ["--integrator", "cvodes", "--sensitivities", "forward"]
SLOW_DISK = os.environ.get("KINETUNE_SLOW_DISK", str(ROOT / "build/release/tests/faults/libslow_disk.so"))
MPIRUN = [os.environ.get("KINETUNE_MPIRUN", "mpirun"), "--bind-to", "none", "--oversubscribe"]
PATIENCE = 300  # seconds after which something hangs

ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",  # containers forbid reading another process's memory
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def command(arguments: list[object], ranks: int | None) -> list[str]:
    """Without ranks: the program alone, as on a laptop."""
    launcher = [] if ranks is None else [*MPIRUN, "-n", str(ranks)]
    return [*launcher, PROGRAM, *map(str, arguments)]


def run(*arguments: object, ranks: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(list(arguments), ranks), env=ENVIRONMENT, text=True, timeout=PATIENCE,
                          capture_output=True, stdin=subprocess.DEVNULL)


def start(*arguments: object, ranks: int | None = None, fsync_seconds: float = 0) -> subprocess.Popen[str]:
    slow_disk = {"LD_PRELOAD": SLOW_DISK, "KINETUNE_FSYNC_SECONDS": str(fsync_seconds)} if fsync_seconds else {}
    return subprocess.Popen(command(list(arguments), ranks), env=ENVIRONMENT | slow_disk, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it has ended


def descendants(pid: int) -> list[int]:
    """The process and all that it started, also by way of others."""
    parents = {int(p.name): parent_of(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit()}
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found


def pid_of_rank(job: subprocess.Popen[str], rank: int) -> int | None:
    """Of the program's process with that MPI rank; None when there is none."""
    wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    for pid in descendants(job.pid):
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return pid
        except OSError:
            continue
    return None


def kill_tree(job: subprocess.Popen[str]) -> None:
    """kill -9 of the job: mpirun and all ranks, in one go."""
    for pid in descendants(job.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    job.communicate(timeout=PATIENCE)


def n_finished(run_file: Path) -> int:
    """Starts with a durable result; 0 as long as there is no file."""
    if not run_file.exists():
        return 0
    with h5py.File(run_file, "r") as file:
        return len(file["results/start_id"])


def wait_for_results(job: subprocess.Popen[str], run_file: Path, more_than: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while n_finished(run_file) <= more_than:
        if job.poll() is not None:
            raise AssertionError(f"the job ended by itself, exit code {job.returncode}: {job.stderr.read()}")
        if time.monotonic() > deadline:
            raise AssertionError("no start finishes")
        time.sleep(0.05)


@dataclass
class Outcomes:
    """All starts of a run, in the order of their ids."""

    ids: list[int]
    x0: np.ndarray
    x: np.ndarray
    fval: np.ndarray
    counts: np.ndarray  # of evaluations
    trace: dict[int, bytes]  # a start's iterates

    def same_as(self, other: Outcomes) -> list[str]:
        """What differs, to the last bit."""
        different = [name for name in ("x0", "x", "fval", "counts")
                     if getattr(self, name).tobytes() != getattr(other, name).tobytes()]
        if self.ids != other.ids:
            different.append("ids")
        if self.trace != other.trace:
            different.append("trace")
        return different


def outcomes(run_file: Path) -> Outcomes:
    with h5py.File(run_file, "r") as file:
        results, starts, trace = file["results"], file["starts"], file["trace"]
        by_id = np.argsort(results["start_id"][:], kind="stable")
        x0_by_id = np.argsort(starts["id"][:], kind="stable")
        iterates = {int(start): (trace["x"][o:o + n].tobytes() + trace["fval"][o:o + n].tobytes())
                    for start, o, n in zip(trace["start_id"][:], trace["offset"][:], trace["length"][:])}
        return Outcomes(
            ids=results["start_id"][:][by_id].tolist(),
            x0=starts["x0"][:][x0_by_id],
            x=results["x"][:][by_id],
            fval=results["fval"][:][by_id],
            counts=np.stack([results[name][:][by_id] for name in ("n_iterations", "n_fval", "n_grad")]),
            trace=iterates,
        )


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own, which ends what it has started."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="kinetune-faults-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, *arguments: object, ranks: int | None = None, fsync_seconds: float = 0) -> subprocess.Popen[str]:
        job = start(*arguments, ranks=ranks, fsync_seconds=fsync_seconds)
        self.addCleanup(lambda: job.poll() is None and kill_tree(job))
        return job

    def fit(self, *arguments: object, ranks: int | None = None, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run("fit", *arguments, ranks=ranks)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return done
