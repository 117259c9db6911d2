"""A rank may refine several starts side by side. That changes how long they take, and nothing else."""

import os
import signal
import unittest
from pathlib import Path

import h5py
from program import PATIENCE, SERINE, ProgramTest, kill_tree, outcomes, wait_for_results

STUDY = [SERINE / "serine.yaml", "--starts", 11, "--seed", 4, "--max-iterations", 12]
ENDLESS = [SERINE / "serine.yaml", "--starts", 300, "--max-iterations", 50, "--integrator", "rodas5p", "--sensitivities",
           "adjoint", "--lanes", 1]
METHODS = {
    "bqnls": ["--integrator", "rodas5p", "--sensitivities", "adjoint"],
    "bntr": ["--integrator", "cvodes", "--sensitivities", "forward"],
    "brgn": ["--integrator", "rodas5p", "--sensitivities", "forward"],
}
LANES = [1, 4] if "avx2" in Path("/proc/cpuinfo").read_text() else [1]


class SideBySide(ProgramTest):
    def test_neighbours_do_not_matter_whatever_the_ranks_lanes_and_optimizer(self) -> None:
        for optimizer, method in METHODS.items():
            for lanes in LANES:
                study = [*STUDY, "--optimizer", optimizer, *method, "--lanes", lanes]
                alone = self.folder / f"{optimizer}-{lanes}.h5"
                self.fit(*study, "--starts-per-rank", 1, "-o", alone)
                for ranks, per_rank in ((1, 3), (1, 16), (2, 4), (3, "auto")):
                    file = self.folder / f"{optimizer}-{lanes}-{ranks}-{per_rank}.h5"
                    self.fit(*study, "--starts-per-rank", per_rank, "-o", file, ranks=ranks)
                    with self.subTest(optimizer, lanes=lanes, ranks=ranks, per_rank=per_rank):
                        self.assertEqual(outcomes(file).same_as(outcomes(alone)), [])

    def test_failures_redraws_and_fallbacks_are_each_starts_own(self) -> None:
        study = [SERINE / "serine.yaml", "--starts", 14, "--max-iterations", 5, "--redraws", 1, "--integrator", "rodas5p",
                 "--sensitivities", "forward", "--max-steps", 60, "--lanes", LANES[-1]]
        tables = []
        for per_rank in (1, 6):
            file = self.folder / f"{per_rank}.h5"
            self.fit(*study, "--starts-per-rank", per_rank, "-o", file)
            with h5py.File(file, "r") as run:
                results, starts = run["results"], run["starts"]
                columns = [results[name][:].tolist() for name in ("start_id", "message", "condition", "time", "n_fallback")]
                table = sorted(zip(*columns), key=lambda row: row[0])
                tables.append((repr(table), sorted(zip(starts["id"][:].tolist(), starts["n_redraws"][:].tolist()))))
        self.assertEqual(tables[0], tables[1])
        self.assertIn("too many steps", tables[0][0], "or nothing is tested")

    def test_processor_time_is_shared_out_among_the_starts(self) -> None:
        seconds = []
        for per_rank in (1, 8):
            file = self.folder / f"{per_rank}.h5"
            self.fit(*STUDY, *METHODS["bqnls"], "--lanes", 1, "--starts-per-rank", per_rank, "-o", file)
            with h5py.File(file, "r") as run:
                seconds.append(run["results/cpu_seconds"][:].sum())
                self.assertTrue(all(run["results/cpu_seconds"][:] > 0))
        self.assertLess(max(seconds), 3 * min(seconds))

    def test_a_signal_stops_all_of_them_and_the_study_goes_on_with_other_numbers(self) -> None:
        file = self.folder / "run.h5"
        job = self.start("fit", *ENDLESS, "--starts-per-rank", 5, "-o", file)
        wait_for_results(job, file, 0)
        os.kill(job.pid, signal.SIGTERM)
        _, err = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 3, err)
        self.assertRegex(err, r"stopping \(signal.*rank 0 on \S+: starts( \d+){5};")
        before = outcomes(file)
        self.fit("--resume", file, "--starts-per-rank", 2, "--max-time", 2, ranks=2, exit_code=3)
        self.assertGreaterEqual(len(outcomes(file).ids), len(before.ids))

    def test_after_a_kill_each_start_is_there_once_and_as_it_is_without(self) -> None:
        alone, file = self.folder / "alone.h5", self.folder / "run.h5"
        study = [SERINE / "serine.yaml", "--starts", 24, "--max-iterations", 25, *METHODS["bqnls"], "--lanes", LANES[-1]]
        self.fit(*study, "--starts-per-rank", 1, "-o", alone)
        job = self.start("fit", *study, "--starts-per-rank", 6, "-o", file)
        wait_for_results(job, file, 0)
        kill_tree(job)
        self.fit("--resume", file, "--starts-per-rank", 3, ranks=2)
        self.assertEqual(outcomes(file).same_as(outcomes(alone)), [])

    def test_numbers_that_cannot_be_meant_are_refused(self) -> None:
        for text in ("0", "-2", "two", "1.5"):
            done = self.fit(*STUDY, "--starts-per-rank", text, "-o", self.folder / "run.h5", exit_code=2)
            self.assertEqual(done.stderr.count(f"--starts-per-rank is {text}"), 1, done.stderr)
        both = self.fit(*STUDY, "--starts-per-rank", 2, "--ranks-per-start", 2, "-o", self.folder / "run.h5", exit_code=2)
        self.assertIn("several ranks to a start and several starts to a rank", both.stderr)


if __name__ == "__main__":
    unittest.main()
