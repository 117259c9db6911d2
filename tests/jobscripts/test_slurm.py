"""The Slurm jobs in a real Slurm on this machine; skipped where Slurm is not installed."""

from __future__ import annotations

import sys
import tempfile
import time
import unittest
from pathlib import Path

import slurm_here

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/faults"))
from program import ENVIRONMENT, PROGRAM, SERINE, outcomes, run  # noqa: E402

PATIENCE = 600  # seconds for a job, the minutes of its time limit included
LIMIT = 60  # seconds; Slurm counts in minutes
STUDY = [SERINE / "serine.yaml", "--max-iterations", 60]


def starts_in(seconds: float) -> int:
    """How many starts of the study two ranks do here in this time, the beginning of the run left out."""
    def wall(n_starts: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            run("fit", *STUDY, "--starts", n_starts, "-o", f"{folder}/trial.h5", ranks=2).check_returncode()
            return time.monotonic() - begin
    few, many = 2, 402
    return int(seconds * (many - few) / (wall(many) - wall(few)))


class SlurmTest(unittest.TestCase):
    """A test with a Slurm of its own."""

    NODES: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="kinetune-slurm-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.slurm = slurm_here.Slurm(cls.folder, *cls.NODES)
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.environment |= {name: value for name, value in ENVIRONMENT.items() if name.startswith("OMPI_")}
        cls.slurm.environment |= {"KINETUNE": PROGRAM, "KINETUNE_ROOT": str(ROOT)}
        cls.slurm.start()

    def submit(self, script: str, *arguments: object, options: tuple[str, ...] = ()) -> tuple[str, Path]:
        log = self.folder / f"{self.id().rpartition('.')[2]}.log"
        job = self.slurm.run("sbatch", "--parsable", f"--output={log}", *options, ROOT / "jobscripts" / script, *arguments)
        return job.strip(), log

    def wait_for(self, job: str, states: tuple[str, ...], log: Path) -> dict[str, str]:
        deadline = time.monotonic() + PATIENCE
        while (state := self.slurm.job(job))["JobState"] not in states:
            if time.monotonic() > deadline:
                self.fail(f"job {job} is {state}:\n{self.tell(log)}")
            time.sleep(0.5)
        return state

    def tell(self, log: Path) -> str:
        """What a reader needs who sees the test fail elsewhere: the job's output, and Slurm's."""
        return f"{log.read_text() if log.exists() else 'the job printed nothing'}\n{self.slurm.logs()}"

    def requeued(self, script: str, options: tuple[str, ...]) -> str:
        """A study whose job is stopped at its limit of a minute, goes back into the queue and completes.
        @returns what the job printed"""
        file = self.folder / f"{script}.h5"
        n_starts = starts_in(1.5 * LIMIT)
        study = [*STUDY, "--starts", n_starts]
        job, log = self.submit(script, file, *study, options=options)
        self.wait_for(job, ("RUNNING",), log)
        state = self.wait_for(job, ("PENDING", "COMPLETED", "FAILED", "TIMEOUT"), log)
        self.assertEqual(state["JobState"], "PENDING", self.tell(log))
        self.assertIn("stopped by signal", log.read_text())
        self.assertGreater(len(outcomes(file).ids), 0)
        self.slurm.run("scontrol", "update", f"jobid={job}", "TimeLimit=30")
        state = self.wait_for(job, ("COMPLETED", "FAILED", "TIMEOUT"), log)
        self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        self.assertEqual(state["Restarts"], "1")
        self.assertEqual(outcomes(file).ids, list(range(n_starts)))
        return log.read_text()


@unittest.skipIf(slurm_here.missing(), slurm_here.missing())
class Jobs(SlurmTest):
    ALL_CORES = ("--ntasks=2",)

    def test_a_job_completes_its_study_on_the_ranks_it_is_given(self) -> None:
        file = self.folder / "cpu.h5"
        job, log = self.submit("slurm_cpu.sh", file, SERINE / "serine.yaml", "--starts", 8, "--max-iterations", 20,
                               options=self.ALL_CORES)
        state = self.wait_for(job, ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"), log)
        self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        self.assertEqual(outcomes(file).ids, list(range(8)))
        self.assertIn("2 ranks in all", log.read_text())

    def test_a_job_stopped_at_its_time_limit_is_requeued_and_completes(self) -> None:
        self.requeued("slurm_cpu.sh", (*self.ALL_CORES, "--time=1", "--signal=B:USR1@20"))

    def test_an_array_does_a_study_for_each_line_of_its_list(self) -> None:
        studies = self.folder / "list.txt"
        files = [self.folder / f"array{seed}.h5" for seed in (1, 2)]
        studies.write_text("".join(f"{file} {SERINE}/serine.yaml --starts 4 --max-iterations 10 --seed {seed}\n"
                                   for seed, file in enumerate(files)))
        job, log = self.submit("slurm_array.sh", studies, options=(*self.ALL_CORES, "--array=1-2"))
        for task in (1, 2):
            state = self.wait_for(f"{job}_{task}", ("COMPLETED", "FAILED", "TIMEOUT"), log)
            self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        first, second = map(outcomes, files)
        self.assertEqual(first.ids, list(range(4)))
        self.assertNotEqual(first.x0.tobytes(), second.x0.tobytes())


@unittest.skipIf(slurm_here.missing(), slurm_here.missing())
@unittest.skipUnless(slurm_here.has_pmix(), "Slurm has no PMIx here")
class JobsOfTwoNodes(SlurmTest):
    NODES = ("cpus", "gpu")

    def setUp(self) -> None:
        # PMIx' other way goes by a file in the spool folder, and it does not fill in the node's name.
        self.slurm.environment |= {"SLURM_PMIX_DIRECT_CONN": "true", "SLURM_PMIX_DIRECT_CONN_EARLY": "true"}

    def test_a_heterogeneous_job_is_one_study_and_is_requeued_like_others(self) -> None:
        printed = self.requeued("slurm_gpu_group.sh", ("--ntasks=2", "--time=1", "--signal=B:USR1@20", ":", "--ntasks=1",
                                                       "--cpus-per-task=1", "--gpus=1"))
        self.assertIn("3 ranks in all", printed)


if __name__ == "__main__":
    unittest.main()
