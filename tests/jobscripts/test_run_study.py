"""How a Slurm job begins its study, or goes on with it; without Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/faults"))
from program import ENVIRONMENT, PATIENCE, PROGRAM, SAME_METHOD, SERINE, ProgramTest, outcomes  # noqa: E402


# Slurm's programs where srun does not return after its ranks have ended.
SRUN_THAT_STAYS = """\
#!/usr/bin/env bash
touch "$0.has_begun"
"$@"
rm "$0.has_begun"
exec sleep 1000
"""
SQUEUE = """\
#!/usr/bin/env bash
echo 1.batch
if [[ -e ${0%/*}/srun.has_begun ]]; then echo 1+0.0; fi
"""


class RunStudy(ProgramTest):
    def job(self, *options: object, n_restarts: int = 0, launcher: str = "env") -> int:
        """The exit code of a job that has been requeued so many times."""
        script = f"source {ROOT}/jobscripts/slurm_study.sh; set +e; run_study \"$@\""
        study = [self.folder / "run.h5", SERINE / "serine.yaml", "--max-iterations", 3, *SAME_METHOD, *options]
        environment = ENVIRONMENT | {"KINETUNE": PROGRAM, "KINETUNE_ROOT": str(ROOT), "KINETUNE_LAUNCHER": launcher,
                                     "SLURM_JOB_ID": "1", "SLURM_RESTART_COUNT": str(n_restarts),
                                     "PATH": f"{self.folder}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-u", "-c", script, "job", *map(str, study)], env=environment, timeout=PATIENCE,
                              capture_output=True).returncode

    def test_a_job_goes_on_with_its_file_and_takes_what_may_change(self) -> None:
        self.assertEqual(self.job("--starts", 2), 0)
        first = outcomes(self.folder / "run.h5")
        self.assertEqual(first.ids, [0, 1])
        self.assertEqual(self.job("--starts", 4), 0)
        second = outcomes(self.folder / "run.h5")
        self.assertEqual(second.ids, [0, 1, 2, 3])
        self.assertEqual(second.x[:2].tobytes(), first.x.tobytes())
        self.assertEqual(self.job("--starts", 4, "--rtol", "1e-6"), 2, "that would be another study")

    def test_force_begins_anew_but_not_when_the_job_was_requeued(self) -> None:
        self.assertEqual(self.job("--starts", 2), 0)
        self.assertEqual(self.job("--starts", 3, "--seed", 7, "--force"), 0)
        anew = outcomes(self.folder / "run.h5")
        self.assertEqual(anew.ids, [0, 1, 2])
        self.assertEqual(self.job("--starts", 4, "--seed", 7, "--force", n_restarts=1), 0)
        requeued = outcomes(self.folder / "run.h5")
        self.assertEqual(requeued.ids, [0, 1, 2, 3])
        self.assertEqual(requeued.x[:3].tobytes(), anew.x.tobytes())

    def test_a_launcher_that_outlives_its_ranks_is_killed_and_the_file_tells_how_they_ended(self) -> None:
        for name, text in (("srun", SRUN_THAT_STAYS), ("squeue", SQUEUE)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        self.assertEqual(self.job("--starts", 2, launcher="srun"), 0)
        self.assertEqual(outcomes(self.folder / "run.h5").ids, [0, 1])
        self.assertEqual(self.job("--starts", 4, "--max-time", 0, launcher="srun"), 3)
        self.assertEqual(outcomes(self.folder / "run.h5").ids, [0, 1])
