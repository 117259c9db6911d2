"""The Slurm jobs in a real Slurm of one node; skipped where Slurm is not installed."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import unittest
from pathlib import Path

import slurm_here

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/faults"))
from program import ENVIRONMENT, PROGRAM, SERINE, outcomes  # noqa: E402

PATIENCE = 600  # seconds for a job, the minutes of its time limit included


@unittest.skipIf(slurm_here.missing(), slurm_here.missing())
class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="kinetune-slurm-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.slurm = slurm_here.Slurm(cls.folder)
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.environment |= {name: value for name, value in ENVIRONMENT.items() if name.startswith("OMPI_")}
        cls.slurm.environment |= {"KINETUNE": PROGRAM, "KINETUNE_ROOT": str(ROOT)}
        cls.slurm.start()

    def submit(self, script: str, *arguments: object, options: tuple[str, ...] = ()) -> tuple[str, Path]:
        log = self.folder / f"{self.id().rpartition('.')[2]}.log"
        # --hint is for machines with hyperthreads; with --ntasks=2 all of this node is taken.
        job = self.slurm.run("sbatch", "--parsable", "--ntasks=2", f"--output={log}", *options,
                             ROOT / "jobscripts" / script, *arguments)
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

    def test_a_job_completes_its_study_on_the_ranks_it_is_given(self) -> None:
        file = self.folder / "cpu.h5"
        job, log = self.submit("slurm_cpu.sh", file, SERINE / "serine.yaml", "--starts", 8, "--max-iterations", 20)
        state = self.wait_for(job, ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"), log)
        self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        self.assertEqual(outcomes(file).ids, list(range(8)))
        self.assertIn("2 ranks in all", log.read_text())

    def test_a_job_stopped_at_its_time_limit_is_requeued_and_completes(self) -> None:
        file, whole = self.folder / "requeued.h5", self.folder / "whole.h5"
        study = [SERINE / "serine.yaml", "--starts", os.environ.get("KINETUNE_SLURM_STARTS", 1500), "--max-iterations", 60]
        job, log = self.submit("slurm_cpu.sh", file, *study, options=("--time=1", "--signal=B:USR1@20"))
        self.wait_for(job, ("PENDING",), log)
        self.wait_for(job, ("RUNNING",), log)
        state = self.wait_for(job, ("PENDING", "COMPLETED", "FAILED", "TIMEOUT"), log)
        self.assertEqual(state["JobState"], "PENDING", self.tell(log))
        self.assertIn("stopped by signal", log.read_text())
        finished = len(outcomes(file).ids)
        self.assertGreater(finished, 0)
        self.slurm.run("scontrol", "update", f"jobid={job}", "TimeLimit=30")
        state = self.wait_for(job, ("COMPLETED", "FAILED", "TIMEOUT"), log)
        self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        self.assertEqual(state["Restarts"], "1")
        self.assertEqual(outcomes(file).ids, list(range(int(study[2]))))

    def test_an_array_does_a_study_for_each_line_of_its_list(self) -> None:
        studies = self.folder / "list.txt"
        files = [self.folder / f"array{seed}.h5" for seed in (1, 2)]
        studies.write_text("".join(f"{file} {SERINE}/serine.yaml --starts 4 --max-iterations 10 --seed {seed}\n"
                                   for seed, file in enumerate(files)))
        job, log = self.submit("slurm_array.sh", studies, options=("--array=1-2",))
        for task in (1, 2):
            state = self.wait_for(f"{job}_{task}", ("COMPLETED", "FAILED", "TIMEOUT"), log)
            self.assertEqual(state["JobState"], "COMPLETED", self.tell(log))
        first, second = map(outcomes, files)
        self.assertEqual(first.ids, list(range(4)))
        self.assertNotEqual(first.x0.tobytes(), second.x0.tobytes())


if __name__ == "__main__":
    unittest.main()
