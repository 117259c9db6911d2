"""A start may be spread over several ranks. That changes how long it takes, and nothing else."""

import os
import signal
import unittest

import h5py
from program import PATIENCE, SERINE, ProgramTest, outcomes, pid_of_rank, wait_for_results

# The shipped problem has seven conditions.
STUDY = [SERINE / "serine.yaml", "--starts", 3, "--seed", 4, "--max-iterations", 12]
METHODS = {
    "bqnls": ["--integrator", "rodas5p", "--sensitivities", "adjoint", "--lanes", "1"],
    "bntr": ["--integrator", "cvodes", "--sensitivities", "forward"],
    "brgn": ["--integrator", "rodas5p", "--sensitivities", "forward", "--lanes", "1"],
}
ENDLESS = [SERINE / "serine.yaml", "--starts", 300, "--max-iterations", 50]


class Teams(ProgramTest):
    def failures(self, file) -> list[tuple]:
        with h5py.File(file, "r") as run:
            results = run["results"]
            return sorted(zip(*(results[name][:].tolist() for name in ("start_id", "message", "condition", "n_fallback"))))

    def test_teams_of_any_size_give_what_one_rank_gives(self) -> None:
        for optimizer, method in METHODS.items():
            alone = self.folder / f"{optimizer}.h5"
            self.fit(*STUDY, "--optimizer", optimizer, *method, "-o", alone)
            for ranks, per_start in ((2, 2), (3, 2), (3, 3), (4, 4)):
                file = self.folder / f"{optimizer}-{ranks}-{per_start}.h5"
                self.fit(*STUDY, "--optimizer", optimizer, *method, "--ranks-per-start", per_start, "-o", file, ranks=ranks)
                with self.subTest(optimizer, ranks=ranks, per_start=per_start):
                    self.assertEqual(outcomes(file).same_as(outcomes(alone)), [])
                    with h5py.File(file, "r") as run:
                        leads = [n > 0 for n in run["ranks/n_starts"][:]]
                        self.assertTrue(all(run["ranks/busy_seconds"][:] > 0))
                    self.assertEqual(leads, [rank % per_start == 0 for rank in range(ranks)])

    def test_failures_are_the_same_with_their_reasons_and_conditions(self) -> None:
        study = [SERINE / "serine.yaml", "--starts", 12, "--max-iterations", 5, "--redraws", 0, "--integrator", "rodas5p",
                 "--sensitivities", "forward", "--lanes", 1, "--atol", 1e-12, "--max-steps", 60]
        alone, team = self.folder / "alone.h5", self.folder / "team.h5"
        self.fit(*study, "-o", alone)
        self.fit(*study, "--ranks-per-start", 3, "-o", team, ranks=3)
        self.assertEqual(self.failures(team), self.failures(alone))
        self.assertEqual(outcomes(team).same_as(outcomes(alone)), [])
        messages = {message for _, message, *_ in self.failures(alone)}
        self.assertIn(b"too many steps", messages, "or nothing is tested")

    def test_a_limit_of_time_of_evaluations_holds_in_a_team(self) -> None:
        file = self.folder / "run.h5"
        self.fit(*STUDY, "--max-evaluation-time", 1e-9, "--redraws", 0, "--ranks-per-start", 3, "-o", file, ranks=3,
                 exit_code=1)
        self.assertEqual({message for _, message, *_ in self.failures(file)}, {b"out of time"})

    def test_ranks_beyond_the_number_of_starts_help_by_themselves(self) -> None:
        file = self.folder / "run.h5"
        self.fit(*STUDY[:1], "--starts", 2, "--max-iterations", 12, "-o", file, ranks=4)
        with h5py.File(file, "r") as run:
            self.assertEqual(run["ranks/n_starts"][:].tolist(), [1, 0, 1, 0])
            self.assertTrue(all(run["ranks/busy_seconds"][:] > 0))

    def test_a_signal_to_a_rank_that_helps_stops_all_and_the_study_goes_on_without_teams(self) -> None:
        file = self.folder / "run.h5"
        job = self.start("fit", *ENDLESS, "--ranks-per-start", 2, "-o", file, ranks=4)
        wait_for_results(job, file, 0)
        os.kill(pid_of_rank(job, 3), signal.SIGTERM)
        out, err = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 3, err)
        self.assertRegex(err, r"stopping \(signal to rank 3\).*rank 0 on \S+: start \d+, rank 2 on \S+: start \d+;")
        before = outcomes(file)
        self.assertLess(len(before.ids), 300)
        self.fit("--resume", file, "--max-time", 1, exit_code=3)
        self.assertGreaterEqual(len(outcomes(file).ids), len(before.ids))

    def test_the_death_of_a_rank_that_helps_ends_the_job(self) -> None:
        file = self.folder / "run.h5"
        job = self.start("fit", *ENDLESS, "--ranks-per-start", 3, "-o", file, ranks=3)
        wait_for_results(job, file, 0)
        os.kill(pid_of_rank(job, 2), signal.SIGKILL)
        _, err = job.communicate(timeout=PATIENCE)
        self.assertNotIn(job.returncode, (0, 3))
        self.assertIn("process rank 2 ", err, "mpirun says which")
        self.assertIn(f"go on with: kinetune fit --resume {file}", err)
        self.fit("--resume", file, "--max-time", 1, "--ranks-per-start", 2, ranks=2, exit_code=3)

    def test_numbers_of_ranks_that_cannot_be_meant_are_refused(self) -> None:
        for text in ("0", "-2", "two", "1.5"):
            for ranks in (None, 2):
                done = self.fit(*STUDY, "--ranks-per-start", text, "-o", self.folder / "run.h5", ranks=ranks, exit_code=2)
                self.assertEqual(done.stderr.count(f"--ranks-per-start is {text}"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
