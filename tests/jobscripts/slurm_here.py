"""A Slurm of one or two nodes on this machine: munged, slurmctld and slurmd with a configuration of their own in a
folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
PATIENCE = 60  # seconds for the daemons to come up
# Seconds that a requeued job waits, so that the node does not take its new credential for the old one, which it has
# revoked; Slurm's default of 120 is as safe and takes longer. A job that is made to start at once may fail.
REQUEUE_DELAY = 5

CONFIGURATION = """\
ClusterName=kinetune
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire={requeue_delay}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SchedulerParameters=bf_interval=2
GresTypes=gpu
{nodes}
PartitionName=here Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def missing() -> str:
    """Why there can be no Slurm here; empty if there can."""
    absent = [program for program in PROGRAMS if not find(program)]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)}): apt install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons are started by root only"


def find(program: str) -> str | None:
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def has_pmix() -> bool:
    """Whether Slurm can start MPI programs itself."""
    return any(Path("/usr/lib").glob("*/slurm-wlm/mpi_pmix.so"))


class Slurm:
    """Nodes that are given by name are played by this machine, with two cores each; the last has a GPU, for which a
    file stands."""

    def __init__(self, folder: Path, *nodes: str) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen[bytes]] = []
        host = socket.gethostname().split(".")[0]
        self.nodes = nodes or (host,)
        for name in ("state", *(f"{kind}.{node}" for kind in ("spool", "tmp") for node in self.nodes)):
            (folder / name).mkdir()
        folder.chmod(0o755)  # munged wants to be reached through it
        lines = [f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=2 State=UNKNOWN"
                 for node in self.nodes]
        if nodes:
            lines[-1] += " Gres=gpu:1 Weight=100"  # the heavier is taken last
            (folder / "gres.conf").write_text(f"NodeName={nodes[-1]} Name=gpu File=/dev/zero\n")
        configuration = folder / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, host=host, controller_port=free_port(),
                                                      nodes="\n".join(lines), requeue_delay=REQUEUE_DELAY))
        (folder / "cgroup.conf").write_text("")
        self.environment = os.environ | {"SLURM_CONF": str(configuration)}

    def start(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._start("munged", "--foreground", "--force", "--num-threads=2", f"--key-file={key}",
                    f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                    f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed")
        self._wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._start("slurmctld", "-D", "-i")
        for node in self.nodes:
            self._start("slurmd", "-D", "-N", node)
        self._wait(lambda: self.run("sinfo", "-hN", "-o", "%T", check=False).split() == ["idle"] * len(self.nodes), "a node")

    def stop(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def run(self, *command: object, check: bool = True) -> str:
        done = subprocess.run(list(map(str, command)), env=self.environment, text=True, capture_output=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def job(self, job_id: str) -> dict[str, str]:
        """What scontrol says of a job, by field."""
        text = self.run("scontrol", "show", "job", job_id, "-o")
        return dict(field.split("=", 1) for field in text.split() if "=" in field)

    def logs(self) -> str:
        return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in self.folder.glob("*.log"))

    def _start(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.out.log").open("wb") as output:
            self.daemons.append(subprocess.Popen([find(program), *arguments], env=self.environment, stdout=output,
                                                 stderr=output, stdin=subprocess.DEVNULL))

    def _wait(self, is_ready, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_ready():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} does not come up:\n{self.logs()}")
            time.sleep(0.2)
