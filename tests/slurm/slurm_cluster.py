"""A Slurm of its own on this machine: two nodes with four pretended H100 each, brought up and taken down by a test.

Debian's packages `slurmctld slurmd slurm-client munge`; needs root, since Slurm reads /etc/slurm/slurm.conf only (a job
step drops SLURM_CONF). The machine's own Slurm, where there is one, is never touched.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ETC = Path("/etc/slurm")
MARK = "# of a test: may be replaced"
NODES, GPUS, CORES = ("n1", "n2"), 4, 32
CONF = """{mark}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
AuthType=auth/munge
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/slurmd-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,defer,requeue_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
MinJobAge=600
KillWait=30
OverTimeLimit=0
SlurmdParameters=config_overrides
GresTypes=gpu
{nodes}
PartitionName=cpu Nodes=ALL Default=YES MaxTime=1-00:00:00 State=UP DefMemPerCPU=1000
PartitionName=gpu Nodes=ALL GraceTime=60 MaxTime=1-00:00:00 State=UP DefMemPerCPU=1000
PartitionName=urgent Nodes=ALL MaxTime=1-00:00:00 State=UP DefMemPerCPU=1000 PriorityTier=10
"""


def why_not() -> str | None:
    """Why this machine cannot bring one up; ``None`` if it can."""
    if missing := [name for name in ("slurmctld", "slurmd", "sbatch", "munged") if shutil.which(name) is None]:
        return f"{', '.join(missing)} is not installed (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "a Slurm of its own needs root: it reads /etc/slurm/slurm.conf only"
    conf = ETC / "slurm.conf"
    if conf.exists() and not conf.read_text().startswith(MARK):
        return f"{conf} is not one of these tests: this machine has a Slurm of its own"
    return None


class Cluster:
    """The daemons and their folder."""

    def __init__(self, folder: Path, cores: int = CORES) -> None:
        """Remember where its files go, and how many cores each node pretends to have."""
        self.folder, self.cores = folder, cores

    def start(self) -> None:
        """Write the configuration, start munge, the controller and one daemon per node; wait until they are idle."""
        self._munge()
        host = socket.gethostname().partition(".")[0]
        lines, gres = [], []
        for index, name in enumerate(NODES):
            cards = self._cards(name)
            where = f"NodeHostname={host} NodeAddr=127.0.0.1 Port={16820 + index}"
            size = f"Sockets=1 CoresPerSocket={self.cores} ThreadsPerCore=1 RealMemory=512000"
            lines.append(f"NodeName={name} {where} {size} Gres=gpu:h100:{GPUS} State=UNKNOWN")
            gres.append(f"NodeName={name} Name=gpu Type=h100 File={cards}")
            (self.folder / f"slurmd-{name}").mkdir(exist_ok=True)
        (self.folder / "ctld").mkdir(exist_ok=True)
        ETC.mkdir(exist_ok=True)
        (ETC / "slurm.conf").write_text(
            CONF.format(mark=MARK, host=host, folder=self.folder, nodes="\n".join(lines)), encoding="utf-8"
        )
        (ETC / "gres.conf").write_text("\n".join([MARK, *gres]) + "\n", encoding="utf-8")
        self.start_controller(clean=True)
        for name in NODES:
            subprocess.run(["slurmd", "-N", name], check=True)
        wait_for(lambda: set(self.ask("sinfo", "-h", "-N", "-o", "%T").split()) == {"idle"}, 30, "idle nodes")

    def start_controller(self, clean: bool = False) -> None:
        """Start the controller, with an empty queue if ``clean``."""
        subprocess.run(["slurmctld", *(["-c"] if clean else [])], check=True)
        wait_for(lambda: subprocess.run(["scontrol", "ping"], capture_output=True).returncode == 0, 20, "slurmctld")

    def stop_controller(self) -> None:
        """Stop the controller; jobs go on."""
        stop(self.folder / "slurmctld.pid")

    def fail(self, node: str, job: str) -> None:
        """Let a node end as by a cut of its power: its daemon and the job's processes at once; the controller is told.

        Left alone, the controller would find out by itself behind `SlurmdTimeout`.
        """
        daemon = int((self.folder / f"slurmd-{node}.pid").read_text())
        for pid in (daemon, *processes_of(job)):
            os.kill(pid, signal.SIGKILL)
        self.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def restart(self, node: str) -> None:
        """Start the daemon of a node anew, also where it runs, and take the node back; jobs on it go on."""
        stop(self.folder / f"slurmd-{node}.pid")
        subprocess.run(["slurmd", "-N", node], check=True)
        wait_for(lambda: "NOT_RESPONDING" not in self.ask("scontrol", "show", "node", node), 60, f"an answer of {node}")
        if "DOWN" in self.ask("scontrol", "show", "node", node):
            self.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def stop(self) -> None:
        """Cancel what is queued, stop the daemons that were started here and remove the configuration."""
        subprocess.run(["scancel", "--user", "root"], check=False, capture_output=True)
        time.sleep(1)
        for name in (*(f"slurmd-{node}" for node in NODES), "slurmctld"):
            stop(self.folder / f"{name}.pid")
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)

    def ask(self, *command: str) -> str:
        """Output of a command of Slurm."""
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def running(self, rule: str) -> list[str]:
        """Ids of the running jobs of a rule, which stands in their comments."""
        rows = [row.split("|") for row in self.ask("squeue", "-h", "-t", "R", "-o", "%i|%k").splitlines()]
        return [job for job, comment in rows if f"rule_{rule}_" in f"{comment}_"]

    def ended(self) -> list[dict[str, str]]:
        """Every job that ended: what Slurm's accounting in text says of it."""
        path = self.folder / "jobs.txt"
        rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [dict(part.split("=", 1) for part in row.split() if "=" in part) for row in rows]

    def _cards(self, node: str) -> str:
        folder = self.folder / "dev" / node
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(GPUS):
            (folder / f"fakegpu{index}").touch()
        return f"{folder}/fakegpu[0-{GPUS - 1}]"

    def _munge(self) -> None:
        if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
            return
        for path in ("/run/munge", "/var/lib/munge", "/var/log/munge"):
            Path(path).mkdir(parents=True, exist_ok=True)
            shutil.chown(path, "munge", "munge")
            Path(path).chmod(0o755)
        if not Path("/etc/munge/munge.key").is_file():
            subprocess.run(["runuser", "-u", "munge", "--", "/usr/sbin/mungekey"], check=True)
        subprocess.run(["runuser", "-u", "munge", "--", "/usr/sbin/munged"], check=True)
        wait_for(lambda: subprocess.run(["munge", "-n"], capture_output=True).returncode == 0, 10, "munge")


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: Names what did not come.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise TimeoutError(f"{what}: not within {seconds:g} s")


def processes_of(job: str) -> list[int]:
    """The processes of a job, whatever their sessions: its daemons of Slurm and all that they started."""
    parents, found = {}, set()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if (path / "cmdline").read_bytes().startswith(f"slurmstepd: [{job}.".encode()):
                found.add(int(path.name))
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def stop(pid_file: Path) -> None:
    """End the process that a file names, with the signal that cannot be refused if it takes too long."""
    if not pid_file.is_file():
        return
    pid = int(pid_file.read_text())
    for number, tries in ((signal.SIGTERM, 50), (signal.SIGKILL, 10)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        for _ in range(tries):
            if not _is_alive(pid):
                return
            time.sleep(0.1)


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waits for does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" not in status.read_text()
