"""What cannot be meant ends the program before anything is computed: exit code 2, one clear message that names file
and line where there is one, and no output file."""

from __future__ import annotations

import re
import shutil
import subprocess
import unittest
from collections.abc import Callable
from pathlib import Path

from program import SERINE, ProgramTest, run

COMMANDS = {"check": [], "evaluate": [], "simulate": ["-o"], "fit": ["-o"]}


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text, f"{file} does not hold {old}"
        (folder / file).write_text(text.replace(old, new, 1))

    return change


def remove(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


# What is spoilt: how, and how the message begins (after the folder) and goes on.
SPOILT = {
    "no problem file": (remove("serine.yaml"), r"serine\.yaml: .*(no such file|No such file|cannot be read)"),
    "no model": (remove("serine.xml"), r"serine\.(yaml:4|xml): "),
    "no table": (remove("measurements.tsv"), r"(measurements\.tsv|serine\.yaml:7): "),
    "malformed YAML": (edit("serine.yaml", "problems:\n", "problems: [\n"), r"serine\.yaml:\d+: "),
    "YAML that is no problem": (edit("serine.yaml", "parameter_file", "parameters"), r"serine\.yaml:?\d*: .*parameter"),
    "an unknown parameter in a measurement": (
        edit("measurements.tsv", "3.772\tscale_rate", "3.772\tscale_of_rate"),
        r"measurements\.tsv:18: .*scale_of_rate"),
    "an unknown observable": (edit("measurements.tsv", "php_conc\tpublished\t1\t", "php\tpublished\t1\t"),
                              r"measurements\.tsv:3: .*'php'"),
    "an unknown condition": (edit("measurements.tsv", "php_conc\tpublished\t1\t", "php_conc\tunpublished\t1\t"),
                             r"measurements\.tsv:3: .*unpublished"),
    "a measurement that is no number": (edit("measurements.tsv", "0.3888", "0,3888"), r"measurements\.tsv:3: .*0,3888"),
    "a bound below zero on a log scale": (edit("parameters.tsv", "log10\t0.01\t100\t0.55", "log10\t-0.01\t100\t0.55"),
                                          r"parameters\.tsv:2: .*'kcatA' below zero"),
    "crossed bounds": (edit("parameters.tsv", "log10\t0.01\t100\t0.55", "log10\t100\t0.01\t0.55"), r"parameters\.tsv:2: "),
    "an unknown scale": (edit("parameters.tsv", "log10\t0.01\t100\t0.55", "log2\t0.01\t100\t0.55"),
                         r"parameters\.tsv:2: .*log2"),
    "an unknown symbol in a formula": (edit("observables.tsv", "pser + blank", "pser + black"), r"observables\.tsv:3: .*black"),
    "a formula that breaks off": (edit("observables.tsv", "pser + blank", "pser +"), r"observables\.tsv:3: "),
    "an unknown condition column": (edit("conditions.tsv", "\tserA\t", "\tserZ\t"), r"conditions\.tsv:1: .*serZ"),
    "a model that is no XML": (lambda folder: (folder / "serine.xml").write_text("not\nXML\n"), r"serine\.xml:1: "),
    "a model that breaks off": (
        lambda folder: (folder / "serine.xml").write_text((SERINE / "serine.xml").read_text()[:3000]), r"serine\.xml:\d+: "),
    "XML that is no SBML": (lambda folder: (folder / "serine.xml").write_text("<html/>\n"), r"serine\.xml:\d+: "),
}


class WrongInputs(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.problem = self.folder / "problem"
        self.copy_problem()
        self.output = self.folder / "output"

    def copy_problem(self) -> None:
        shutil.rmtree(self.problem, ignore_errors=True)
        self.problem.mkdir()
        for file in SERINE.iterdir():
            if file.suffix in (".tsv", ".yaml", ".xml"):
                shutil.copy(file, self.problem)

    def refused(self, *arguments: object, says: str, ranks: int | None = None) -> subprocess.CompletedProcess[str]:
        done = run(*arguments, ranks=ranks)
        written = [p for p in self.folder.iterdir() if p != self.problem]
        for path in written:
            path.unlink()
        spoken = done.stdout + done.stderr
        told = f"{arguments}, {ranks} ranks, exit code {done.returncode}:\n{spoken}"
        self.assertEqual(done.returncode, 2, told)
        messages = [line for line in spoken.splitlines() if re.search(says, line)]
        self.assertEqual(len(messages), 1, f"looked for one line with {says}: {told}")
        self.assertNotRegex(spoken, r"terminate called|Aborted|Segmentation|what\(\)", told)
        self.assertLessEqual(spoken.count("error: "), 1, told)
        self.assertEqual(written, [], told)
        return done

    def test_each_command_says_what_is_wrong_with_a_problem(self) -> None:
        for name, (spoil, says) in SPOILT.items():
            self.copy_problem()
            spoil(self.problem)
            for command, output in COMMANDS.items():
                with self.subTest(name, command=command):
                    self.refused(command, self.problem / "serine.yaml", *(x for o in output for x in (o, self.output)),
                                 says=f"^(error: )?{re.escape(str(self.problem))}/{says}")

    def test_fit_says_it_once_whatever_the_number_of_ranks(self) -> None:
        for name in ("no problem file", "malformed YAML", "an unknown parameter in a measurement", "a model that is no XML",
                     "a bound below zero on a log scale"):
            spoil, says = SPOILT[name]
            self.copy_problem()
            spoil(self.problem)
            with self.subTest(name):
                self.refused("fit", self.problem / "serine.yaml", "-o", self.output, ranks=2, says=says)

    def test_a_directory_is_no_problem(self) -> None:
        for command, output in COMMANDS.items():
            with self.subTest(command):
                self.refused(command, self.problem, *(x for o in output for x in (o, self.output)), says=re.escape(str(self.problem)))
        (self.problem / "folder.yaml").mkdir()
        for command in COMMANDS:
            with self.subTest(command):
                self.refused(command, self.problem / "folder.yaml", says="folder.yaml")

    def test_a_model_alone_is_refused_likewise(self) -> None:
        for name in ("no model", "a model that is no XML", "a model that breaks off", "XML that is no SBML"):
            spoil, _ = SPOILT[name]
            self.copy_problem()
            spoil(self.problem)
            for command in ("check", "simulate"):
                with self.subTest(name, command=command):
                    self.refused(command, self.problem / "serine.xml", says=r"serine\.xml:")

    def test_unknown_options_and_commands(self) -> None:
        yaml = self.problem / "serine.yaml"
        for ranks in (None, 2):
            for command in COMMANDS:
                with self.subTest(command, ranks=ranks):
                    done = run(command, yaml, "--colour", "red", ranks=ranks)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn("--colour", done.stderr)
        self.assertEqual(run("fti", yaml).returncode, 2)
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("evaluate").returncode, 2)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["problem"])

    def test_least_squares_need_normal_noise_and_priors(self) -> None:
        yaml = self.problem / "serine.yaml"
        edit("observables.tsv", "sigma_php\tnormal", "sigma_php\tlaplace")(self.problem)
        for ranks in (None, 2):
            self.refused("fit", yaml, "--optimizer", "brgn", "-o", self.output, ranks=ranks,
                         says="brgn fits residuals: the noise of observable php_conc is not normal")

    def test_options_of_fit_that_cannot_be_meant(self) -> None:
        yaml = self.problem / "serine.yaml"
        for options, says in {
            ("--optimizer", "newton"): r"'newton' is no optimizer.*blmvm",
            ("--sampler", "grid"): r"'grid' is no sampler.*lhs",
            ("--sensitivities", "backward"): r"'backward'.*adjoint",
            ("--linear-solver", "qr"): r"'qr'.*klu",
            ("--steady-state", "guess"): r"'guess'.*newton",
            ("--starts", "-3"): r"--starts",
            ("--starts", "0"): r"no starts",
            ("--starts", "many"): r"--starts",
            ("--starts", "1e400"): r"--starts",
            ("--seed", "-1"): r"--seed",
            ("--rtol", "-1e-6"): r"tolerance",
            ("--rtol", "2"): r"tolerance",
            ("--rtol", "nan"): r"tolerance",
            ("--atol", "0"): r"tolerance",
            ("--max-steps", "0"): r"steps",
            ("--max-iterations", "-1"): r"max.iterations",
            ("--max-evaluations", "0"): r"max.evaluations",
            ("--gradient-tolerance", "-1"): r"gradient.tolerance",
            ("--max-time", "soon"): r"--max-time",
            ("--max-time", "-1"): r"--max-time",
            ("--max-time", "nan"): r"--max-time",
        }.items():
            with self.subTest(options):
                self.refused("fit", yaml, "-o", self.output, *options, says=says)
        for options, says in {("--optimizer", "newton"): r"'newton' is no optimizer", ("--starts", "0"): r"no starts"}.items():
            with self.subTest(options, ranks=2):
                self.refused("fit", yaml, "-o", self.output, *options, ranks=2, says=says)
        self.refused("fit", "-o", self.output, says=r"no problem")
        for output, says in {"": r"no name for the file", self.folder / "none/run.h5": r"none/run\.h5: its folder does not exist",
                             self.problem: r"problem: is no file", "a" * 300: r"cannot be a file \(File name too long\)",
                             "a" * 252: r"cannot be a file \(File name too long\)"}.items():
            with self.subTest(output):
                self.refused("fit", yaml, "-o", output, "--force", says=says)

    def test_options_of_the_other_commands_that_cannot_be_meant(self) -> None:
        yaml, xml = self.problem / "serine.yaml", self.problem / "serine.xml"
        for arguments, says in {
            ("evaluate", yaml, "--sensitivities", "backward"): r"--sensitivities",
            ("evaluate", yaml, "--repeat", "0"): r"repeat",
            ("evaluate", yaml, "--rtol", "0"): r"tolerance",
            ("evaluate", yaml, "--parameters", self.problem / "none.tsv"): r"none\.tsv",
            ("evaluate", yaml, "--parameters", self.problem / "conditions.tsv"): r"conditions\.tsv:1: .*parameterId",
            ("simulate", yaml, "--parameters", self.problem / "none.tsv"): r"none\.tsv",
            ("simulate", xml, "--steps", "0"): r"steps",
            ("simulate", xml, "--duration", "-1"): r"duration -1",
            ("simulate", xml, "--variables", "php,gold"): r"serine\.xml: .*'gold'",
            ("simulate", xml, "--atol", "-1"): r"tolerance",
            ("simulate", xml, "-o", self.folder / "no/such/folder/out.csv"): r"no/such/folder",
        }.items():
            with self.subTest(arguments[2:]):
                self.refused(*arguments, says=says)

    def test_a_study_file_is_refused_with_its_line(self) -> None:
        study = self.problem / "study.yaml"
        for text, says in {
            f"problem: {self.problem}/serine.yaml\nstart: 5\n": r"study\.yaml:2: 'start'",
            "starts: 5\noptimizer: newton\n": r"study\.yaml:2: .*'newton'",
            "starts: [\n": r"study\.yaml:\d+: ",
            "- a\n": r"study\.yaml:1: ",
        }.items():
            study.write_text(text)
            for ranks in (None, 2):
                with self.subTest(text, ranks=ranks):
                    self.refused("fit", "--study", study, "-o", self.output, ranks=ranks, says=says)
        study.unlink()
        self.refused("fit", "--study", study, "-o", self.output, says=r"study\.yaml")

    def test_an_output_that_cannot_be_written_is_found_before_anything_is_computed(self) -> None:
        yaml = self.problem / "serine.yaml"
        for ranks in (None, 2):
            self.refused("fit", yaml, "--starts", 100000, "-o", self.folder / "no/such/run.h5", ranks=ranks, says=r"no/such")
        self.refused("fit", yaml, "--starts", 100000, "-o", self.problem, says=re.escape(str(self.problem)))
        self.refused("fit", yaml, "--starts", 100000, "-o", self.problem, "--force", says=re.escape(str(self.problem)))

    def test_check_reports_everything_that_is_wrong_at_once(self) -> None:
        for name in ("an unknown parameter in a measurement", "an unknown symbol in a formula", "crossed bounds"):
            SPOILT[name][0](self.problem)
        done = run("check", self.problem / "serine.yaml")
        self.assertEqual(done.returncode, 2)
        for name in ("an unknown parameter in a measurement", "an unknown symbol in a formula", "crossed bounds"):
            self.assertRegex(done.stderr, SPOILT[name][1])

    def test_the_problem_itself_is_good(self) -> None:
        for command in ("check", "evaluate", "simulate"):
            done = run(command, self.problem / "serine.yaml")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
