"""`kinetune check` finds every single mistake in a PEtab problem and says in which line of which file it is."""

from __future__ import annotations

import unittest

from petab_mistakes import V1, V2, VERSION_1, VERSION_2, Mistake, write_problem
from program import ProgramTest, run


class PetabMistakes(ProgramTest):
    def messages(self, problem: dict[str, str], mistake: Mistake | None = None) -> tuple[int, list[str]]:
        """Exit code, and what is said behind the folder."""
        done = run("check", write_problem(self.folder, problem, mistake))
        return done.returncode, [line.replace(f"{self.folder}/", "") for line in (done.stdout + done.stderr).splitlines()]

    def assert_all_are_found(self, problem: dict[str, str], mistakes: list[Mistake]) -> None:
        for mistake in mistakes:
            with self.subTest(mistake.name):
                code, messages = self.messages(problem, mistake)
                self.assertEqual(code, 2)
                self.assertTrue(any(m.startswith(mistake.verdict) for m in messages), "\n".join([mistake.verdict, *messages]))

    def test_the_problems_are_right_as_they_are(self) -> None:
        for problem in (VERSION_1, VERSION_2):
            code, messages = self.messages(problem)
            self.assertEqual((code, messages[-1]), (0, "no errors"))

    def test_every_mistake_of_version_1_is_found(self) -> None:
        self.assert_all_are_found(VERSION_1, V1)

    def test_every_mistake_of_version_2_is_found(self) -> None:
        self.assert_all_are_found(VERSION_2, V2)


if __name__ == "__main__":
    unittest.main()
