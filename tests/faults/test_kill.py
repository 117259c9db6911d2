"""Whatever ends a run, its file is whole and the study can go on from it, on any number of ranks."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np
from program import (PATIENCE, SAME_METHOD, SERINE, ProgramTest, kill_tree, n_finished, outcomes, pid_of_rank, run,
                     wait_for_results)

N_STARTS = 320  # more than can be finished between one kill and the next
N_KILLS = int(os.environ.get("KINETUNE_KILLS", "6"))  # in CI; 50 now and then
STUDY = [SERINE / "serine.yaml", "--starts", N_STARTS, "--max-iterations", 50, *SAME_METHOD]


class Kill(ProgramTest):
    def test_a_run_killed_again_and_again_ends_with_each_start_once_and_as_if_nothing_had_been(self) -> None:
        whole, killed = self.folder / "whole.h5", self.folder / "killed.h5"
        moments = random.Random(2024)
        arguments = [*STUDY, "-o", killed]
        finished, n_kills = 0, 0
        for ranks in (2, 4, 1, 2):
            if finished > 0.6 * N_STARTS:
                break  # a fast machine: what is left is for the last session
            job = self.start("fit", *arguments, ranks=ranks)
            wait_for_results(job, killed, finished)
            time.sleep(moments.uniform(0, 0.4))
            kill_tree(job)
            ids = outcomes(killed).ids
            self.assertEqual(len(ids), len(set(ids)))
            self.assertGreater(len(ids), finished, "what was durable has stayed")
            self.assertLess(len(ids), N_STARTS, "killed before the end, or nothing is tested")
            finished = len(ids)
            n_kills += 1
            arguments = ["--resume", killed]
        self.assertGreaterEqual(n_kills, 2)

        self.fit("--resume", killed, ranks=2)
        self.fit(*STUDY, "-o", whole, ranks=2)
        after, expected = outcomes(killed), outcomes(whole)
        self.assertEqual(expected.ids, list(range(N_STARTS)))
        self.assertEqual(after.same_as(expected), [])
        with h5py.File(killed, "r") as file:
            self.assertNotEqual(file.attrs["end_time"], "")
            self.assertGreater(len(file["fit/simulation"]), 0)

    def test_ranks_killed_at_random_moments_cost_nothing_that_was_finished(self) -> None:
        """One rank or all of them, also before the file is made, and again and again; some work in teams."""
        n_starts = 80 * N_KILLS
        study = [SERINE / "serine.yaml", "--starts", n_starts, "--max-iterations", 12, *SAME_METHOD]
        whole, killed = self.folder / "whole.h5", self.folder / "killed.h5"
        chance = random.Random(6)
        n_kills = 0
        for kill in range(N_KILLS):
            arguments = ["--resume", killed] if killed.exists() else [*study, "-o", killed]
            before = n_finished(killed)
            if before > 0.6 * n_starts:
                break  # a fast machine: what is left is for the last session
            ranks = chance.choice((1, 2, 3))
            job = self.start("fit", *arguments, "--ranks-per-start", chance.choice((1, 1, 2)), ranks=ranks)
            if chance.random() < 0.3:
                time.sleep(chance.uniform(0, 1))  # perhaps while it loads and compiles
            else:
                wait_for_results(job, killed, before + chance.randrange(40))
                time.sleep(chance.uniform(0, 0.1))
            victim = chance.choice((None, *range(ranks)))
            pid = None if victim is None else pid_of_rank(job, victim)
            if pid is None:  # or the rank is not there yet
                kill_tree(job)
            else:
                os.kill(pid, signal.SIGKILL)
                job.communicate(timeout=PATIENCE)
            with self.subTest(kill=kill, victim=victim):
                ids = outcomes(killed).ids if killed.exists() else []
                self.assertEqual(len(ids), len(set(ids)))
                self.assertGreaterEqual(len(ids), before)
                self.assertLess(len(ids), n_starts, "killed before the end, or nothing is tested")
            n_kills += 1
        self.assertGreaterEqual(n_kills, 3)
        print(f"{n_kills} kills", flush=True)
        self.fit(*(["--resume", killed] if killed.exists() else [*study, "-o", killed]), ranks=2)
        self.fit(*study, "-o", whole, ranks=2)
        self.assertEqual(outcomes(whole).ids, list(range(n_starts)))
        self.assertEqual(outcomes(killed).same_as(outcomes(whole)), [])

    def test_the_death_of_one_rank_ends_the_job_and_the_study_goes_on_from_its_file(self) -> None:
        for rank, fsync_seconds in ((1, 0), (0, 0), (1, 1)):  # Open MPI gives the others one second, also on a slow disk
            file = self.folder / f"run{rank}.{fsync_seconds}.h5"
            job = self.start("fit", *STUDY, "-o", file, ranks=3, fsync_seconds=fsync_seconds)
            wait_for_results(job, file, 0)
            os.kill(pid_of_rank(job, rank), signal.SIGKILL)
            _, err = job.communicate(timeout=PATIENCE)
            self.assertNotIn(job.returncode, (0, 3), f"rank {rank} was killed")
            self.assertIn(f"process rank {rank} ", err, "mpirun says which")
            self.assertIn(f"go on with: kinetune fit --resume {file}", err)
            self.assertRegex(err, r"rank 1 on \S+: start \d+" if rank else "rank 0 on .* does not answer")
            finished = n_finished(file)
            self.assertGreater(finished, 0)
            self.assertLess(finished, N_STARTS, "the job ended before the work did")
            self.fit("--resume", file, "--max-time", 1, ranks=2, exit_code=3)
            self.assertGreaterEqual(n_finished(file), finished)


class Stop(ProgramTest):
    """Being asked to stop is no fault: what is finished is kept, and the program says how to go on."""

    def stop(self, file, ranks: int | None, ask) -> None:
        job = self.start("fit", *STUDY, "-o", file, ranks=ranks)
        wait_for_results(job, file, 0)
        ask(job)
        out, err = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 3, err)
        self.assertIn(f"kinetune fit --resume {file}", out)
        self.assertIn("stopped by signal", out)
        self.assertRegex(err, r"stopping \(signal.*rank 0 on \S+: start \d+.*--resume")
        finished = n_finished(file)
        self.assertIn(f"{N_STARTS - finished} starts are left", out)
        self.assertGreater(finished, 0)
        with h5py.File(file, "r") as run_file:
            self.assertEqual(run_file.attrs["end_time"], "", "the study has not ended")

    def test_signals_to_the_program_stop_it_with_exit_code_3(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            self.stop(self.folder / f"{sign.name}.h5", None, lambda job, sign=sign: job.send_signal(sign))

    def test_a_signal_to_one_rank_stops_all_ranks(self) -> None:
        for rank in (0, 1):
            self.stop(self.folder / f"run{rank}.h5", 2,
                      lambda job, rank=rank: os.kill(pid_of_rank(job, rank), signal.SIGTERM))

    def test_a_signal_to_each_rank_stops_all_ranks(self) -> None:
        def ask(job):
            for rank in (1, 0):  # as Slurm warns of a time limit
                os.kill(pid_of_rank(job, rank), signal.SIGUSR1)

        self.stop(self.folder / "run.h5", 2, ask)

    def test_sigusr1_to_mpirun_stops_all_ranks(self) -> None:
        self.stop(self.folder / "run.h5", 2, lambda job: job.send_signal(signal.SIGUSR1))

    def test_the_time_limit_stops_it_with_exit_code_3_each_time_until_all_is_done(self) -> None:
        file = self.folder / "run.h5"
        study = [SERINE / "serine.yaml", "--starts", 60, "--max-iterations", 50, *SAME_METHOD]
        done = self.fit(*study, "--max-time", 0.5, "-o", file, ranks=2, exit_code=3)
        self.assertIn("stopped by time limit", done.stdout)
        self.assertIn(f"kinetune fit --resume {file}", done.stdout)
        self.assertLess(n_finished(file), 60)
        self.fit("--resume", file, "--max-time", 0, exit_code=3)
        self.fit("--resume", file, "--max-time", 10 * PATIENCE, ranks=2)
        self.assertEqual(outcomes(file).ids, list(range(60)))
        again = self.fit("--resume", file)  # nothing is left to do
        self.assertIn("best parameters", again.stdout)
        self.assertEqual(outcomes(file).ids, list(range(60)))


    def test_the_limit_of_evaluations_stops_it_and_a_higher_one_lets_it_go_on(self) -> None:
        file = self.folder / "run.h5"
        study = [SERINE / "serine.yaml", "--starts", 30, "--max-iterations", 10]
        done = self.fit(*study, "--max-total-evaluations", 60, "-o", file, ranks=2, exit_code=3)
        self.assertIn("stopped by limit of evaluations", done.stdout)
        with h5py.File(file, "r") as run_file:
            counts = run_file["results/n_fval"][:]
        self.assertGreaterEqual(counts.sum(), 60)
        self.assertLess(len(counts), 30)
        self.fit("--resume", file, "--max-total-evaluations", 10**6)
        self.assertEqual(outcomes(file).ids, list(range(30)))


class Disk(ProgramTest):
    """A file that cannot be written costs nothing: what was computed is written as soon as it can be."""

    def test_a_folder_that_vanishes_is_made_again(self) -> None:
        folder = self.folder / "results"
        folder.mkdir()
        file = folder / "run.h5"
        study = [SERINE / "serine.yaml", "--starts", 60, *SAME_METHOD]  # a slow one, not over before the folder is gone
        job = self.start("fit", *study, "-o", file, ranks=2)
        wait_for_results(job, file, 0)
        shutil.rmtree(folder)
        self.assertIsNone(job.poll())
        _, err = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 0, err)
        self.assertEqual(outcomes(file).ids, list(range(60)))

    def test_a_full_disk_keeps_the_file_valid_and_the_run_going(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("a small file system can be mounted by root only")
        self.addCleanup(subprocess.run, ["umount", disk])
        file = disk / "run.h5"
        study = [SERINE / "serine.yaml", "--starts", 120, "--max-iterations", 50, *SAME_METHOD]
        job = self.start("fit", *study, "-o", file, ranks=2)
        wait_for_results(job, file, 0)
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as waste, contextlib.suppress(OSError):
            while True:
                waste.write(bytes(4096))
        time.sleep(3)
        finished = n_finished(file)
        self.assertLess(finished, 120, "readable, and behind")
        ballast.unlink()
        _, err = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 0, err)
        self.assertIn("cannot be written", err)
        self.assertEqual(outcomes(file).ids, list(range(120)))


class Resume(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.problem = self.folder / "problem"
        self.problem.mkdir()
        for file in SERINE.iterdir():
            if file.suffix in (".tsv", ".yaml", ".xml"):
                (self.problem / file.name).write_bytes(file.read_bytes())
        self.file = self.folder / "run.h5"
        self.fit(self.problem / "serine.yaml", "--starts", 3, "--max-iterations", 3, "-o", self.file)

    def refused(self, *arguments: object, says: list[str]) -> None:
        before = self.file.read_bytes()
        for ranks in (None, 2):
            done = run("fit", *arguments, ranks=ranks)
            self.assertEqual(done.returncode, 2, done.stderr)
            for text in says:
                self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
            self.assertEqual(self.file.read_bytes(), before, "the file is as it was")

    def test_refuses_inputs_that_have_changed(self) -> None:
        table = self.problem / "conditions.tsv"
        table.write_text(table.read_text().replace("2.36", "2.37"))
        self.refused("--resume", self.file, says=[str(self.file), "have changed"])

    def test_keeps_the_method_that_was_measured_to_be_the_fastest(self) -> None:
        with h5py.File(self.file, "r") as run:
            study = run.attrs["study"]
        self.assertRegex(study, r"integrator: (cvodes|rodas5p|rodas4p2)\n")
        self.assertRegex(study, r"sensitivities: (forward|adjoint)\n")
        self.fit("--resume", self.file)
        with h5py.File(self.file, "r") as run:
            self.assertEqual(run.attrs["study"], study)

    def test_refuses_other_options(self) -> None:
        for option in (["--seed", "5"], ["--redraws", "5"], ["--optimizer", "bntr"], ["--rtol", "1e-06"]):
            self.refused("--resume", self.file, *option, says=[
                str(self.file), f"'{option[0][2:]}' is ", f"cannot change to {option[1]} when it is resumed"])
        self.refused("--resume", self.file, SERINE / "serine.yaml", says=["'problem' is ", "when it is resumed"])
        for option in (["--force"], ["-o", str(self.folder / "other.h5")]):
            self.refused("--resume", self.file, *option, says=["cannot change when a study is resumed"])
        self.assertFalse((self.folder / "other.h5").exists())

    def test_accepts_the_options_that_the_study_has(self) -> None:
        before = outcomes(self.file)
        self.fit("--resume", self.file, self.problem / "serine.yaml", "--starts", 3, "--max-iterations", 3, "--rtol",
                 "1e-8", "--integrator", "auto")
        self.assertEqual(before.same_as(outcomes(self.file)), [])

    def test_refuses_fewer_starts(self) -> None:
        self.refused("--resume", self.file, "--starts", 2, says=["2 starts for a study that has 3"])

    def test_gives_a_finished_study_more_starts_and_leaves_the_others_as_they_were(self) -> None:
        before = outcomes(self.file)
        more = self.folder / "more.h5"
        shutil.copy(self.file, more)
        self.fit("--resume", self.file, "--starts", 9)
        self.fit("--resume", more, "--starts", 9, "--max-time", 0, exit_code=3)  # known to the file from now on
        self.fit("--resume", more, ranks=2)
        after = outcomes(self.file)
        self.assertEqual(after.ids, list(range(9)))
        self.assertEqual(after.same_as(outcomes(more)), [])
        self.assertEqual(after.x0[:3].tobytes(), before.x0.tobytes())
        self.assertEqual(after.x[:3].tobytes(), before.x.tobytes())
        self.assertEqual(len(np.unique(after.x0[:, 0])), 9)
        with h5py.File(self.file, "r") as file:
            self.assertNotEqual(file.attrs["end_time"], "")
            self.assertIn("--starts 9", file.attrs["command_line"])

    def test_refuses_a_file_that_is_missing_or_something_else(self) -> None:
        missing = self.folder / "none.h5"
        self.refused("--resume", missing, says=[str(missing)])
        self.assertFalse(missing.exists())
        self.refused("--resume", self.problem / "conditions.tsv", says=["conditions.tsv"])
        with h5py.File(self.folder / "foreign.h5", "w") as foreign:
            foreign["data"] = [1, 2]
        self.refused("--resume", self.folder / "foreign.h5", says=["foreign.h5"])

    def test_refuses_a_problem_that_is_gone(self) -> None:
        (self.problem / "serine.xml").unlink()
        self.refused("--resume", self.file, says=["serine.xml"])

    def test_a_new_study_refuses_a_file_that_exists_unless_forced(self) -> None:
        new = [self.problem / "serine.yaml", "--starts", 2, "--max-iterations", 3, "-o", self.file]
        self.refused(*new, says=[str(self.file), "exists already", "--force"])
        self.fit(*new, "--force")
        self.assertEqual(outcomes(self.file).ids, [0, 1])

    def test_refuses_a_run_that_still_goes_on(self) -> None:
        file = self.folder / "busy.h5"
        job = self.start("fit", *STUDY, "-o", file)
        wait_for_results(job, file, 0)
        done = run("fit", "--resume", file)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"process {job.pid} ", done.stderr)
        self.assertIn("busy.h5", done.stderr)
        self.assertIsNone(job.poll(), "the run that was first goes on")


if __name__ == "__main__":
    unittest.main()
