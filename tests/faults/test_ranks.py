"""A start's result depends on its number alone: not on how many ranks there are, nor on which of them ran it."""

import unittest

import h5py
from program import SAME_METHOD, SERINE, ProgramTest, outcomes, run

STARTS = ["--starts", 14, "--seed", 5, "--max-iterations", 40, *SAME_METHOD]


class Ranks(ProgramTest):
    def test_the_same_starts_end_the_same_on_one_to_four_ranks(self) -> None:
        runs = {}
        for name, ranks in (("alone", None), ("one", 1), ("two", 2), ("three", 3), ("four", 4)):
            file = self.folder / f"{name}.h5"
            self.fit(SERINE / "serine.yaml", *STARTS, "-o", file, ranks=ranks)
            runs[name] = outcomes(file)

        self.assertEqual(runs["alone"].ids, list(range(14)))
        for name in ("one", "two", "three", "four"):
            self.assertEqual(runs[name].same_as(runs["alone"]), [], f"alone and {name}")

    def test_all_ranks_compute_and_are_accounted_for(self) -> None:
        file = self.folder / "run.h5"
        self.fit(SERINE / "serine.yaml", *STARTS, "-o", file, ranks=2)
        with h5py.File(file, "r") as run_file:
            self.assertEqual(set(run_file["results/rank"][:]), {0, 1})
            self.assertEqual(run_file["ranks/rank"][:].tolist(), [0, 1])
            self.assertEqual(sum(run_file["ranks/n_starts"][:]), 14)

    def test_commands_that_compute_on_one_rank_say_everything_once(self) -> None:
        for arguments in (("check",), ("evaluate",), ("simulate",)):
            alone = run(*arguments, SERINE / "serine.yaml")
            together = run(*arguments, SERINE / "serine.yaml", ranks=3)
            self.assertEqual(together.returncode, 0, together.stderr)
            self.assertEqual(len(together.stdout.splitlines()), len(alone.stdout.splitlines()), arguments)
        missing = run("check", self.folder / "none.yaml", ranks=3)
        self.assertEqual(missing.returncode, 2)
        self.assertEqual(missing.stderr.count("none.yaml"), 1, missing.stderr)

    def test_a_limit_of_time_of_evaluations_is_a_reason_with_its_condition_and_model_time(self) -> None:
        file = self.folder / "run.h5"
        done = self.fit(SERINE / "serine.yaml", "--starts", 3, "--max-evaluation-time", 1e-9, "--redraws", 2, "-o", file,
                        exit_code=1)
        self.assertRegex(done.stdout, r"3  failed: out of time in condition \w+, model time")
        with h5py.File(file, "r") as run_file:
            self.assertEqual(run_file["starts/n_redraws"][:].tolist(), [2, 2, 2])
            self.assertEqual(run_file["results/n_fval"][:].tolist(), [3, 3, 3])

    def test_optimizers_samplers_and_integrators_of_each_kind_do_so(self) -> None:
        for optimizer, sampler, *method in (("bqnls", "uniform", *SAME_METHOD),
                                            ("bntr", "sobol", "--integrator", "rodas5p", "--sensitivities", "forward", "--lanes", "1"),
                                            ("blmvm", "maximin", "--integrator", "cvodes", "--sensitivities", "adjoint")):
            runs = []
            for ranks in (None, 2):
                file = self.folder / f"{optimizer}-{ranks}.h5"
                self.fit(SERINE / "serine.yaml", "--starts", 6, "--max-iterations", 15, "--optimizer", optimizer,
                         "--sampler", sampler, *method, "-o", file, ranks=ranks)
                runs.append(outcomes(file))
            self.assertEqual(runs[0].same_as(runs[1]), [], optimizer)


if __name__ == "__main__":
    unittest.main()
