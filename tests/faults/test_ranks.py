"""A start's result depends on its number alone: not on how many ranks there are, nor on which of them ran it."""

import unittest

import h5py
from program import SAME_METHOD, SERINE, ProgramTest, outcomes

STARTS = ["--starts", 14, "--seed", 5, "--max-iterations", 40, *SAME_METHOD]


class Ranks(ProgramTest):
    def test_the_same_starts_end_the_same_on_one_two_and_four_ranks(self) -> None:
        runs = {}
        for name, ranks in (("alone", None), ("one", 1), ("two", 2), ("four", 4)):
            file = self.folder / f"{name}.h5"
            self.fit(SERINE / "serine.yaml", *STARTS, "-o", file, ranks=ranks)
            runs[name] = outcomes(file)

        self.assertEqual(runs["alone"].ids, list(range(14)))
        for name in ("one", "two", "four"):
            self.assertEqual(runs[name].same_as(runs["alone"]), [], f"alone and {name}")

    def test_all_ranks_compute_and_are_accounted_for(self) -> None:
        file = self.folder / "run.h5"
        self.fit(SERINE / "serine.yaml", *STARTS, "-o", file, ranks=2)
        with h5py.File(file, "r") as run:
            self.assertEqual(set(run["results/rank"][:]), {0, 1})
            self.assertEqual(run["ranks/rank"][:].tolist(), [0, 1])
            self.assertEqual(sum(run["ranks/n_starts"][:]), 14)

    def test_every_optimizer_and_sampler_does_so(self) -> None:
        for optimizer, sampler in (("bqnls", "uniform"), ("bntr", "lhs")):
            runs = []
            for ranks in (None, 2):
                file = self.folder / f"{optimizer}-{ranks}.h5"
                self.fit(SERINE / "serine.yaml", "--starts", 6, "--max-iterations", 15, "--optimizer", optimizer,
                         "--sampler", sampler, *SAME_METHOD, "-o", file, ranks=ranks)
                runs.append(outcomes(file))
            self.assertEqual(runs[0].same_as(runs[1]), [], optimizer)


if __name__ == "__main__":
    unittest.main()
