"""A SLURM cluster of one controller and three nodes on this machine, as long as its context lasts."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from tests.slow.cluster.tools import Tools

NODES = ("n1", "n2", "n3")
GRACE_SECONDS = 5  # between a pre-empted job's signal and SIGTERM; SLURM looks at most every 15 seconds
KILL_WAIT_SECONDS = 10  # between SIGTERM and SIGKILL
CREDENTIAL_SECONDS = 5  # a requeued job waits until its old credential has expired, by default two minutes

# proctrack/pgid: as with control groups, nothing of a job lives longer than its script.
CONFIGURATION = """
ClusterName=ser
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.sock,cred_expire={credential}
ProctrackType=proctrack/pgid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
KillWait={kill_wait}
ReturnToService=1
"""
# A node runs one job at a time, on machines of any size.
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=1000 State=UNKNOWN\n"
# A job of `high` takes a node from the others: from one of `main` at once, from one of `grace` after its signal.
PARTITIONS = """
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=grace Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 GraceTime={grace}
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""
MUNGE_FILES = {"key-file": "key", "socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def write_configuration(folder: Path, plugins: Path | None) -> Path:
    """Write slurm.conf."""
    host, user = socket.gethostname().split(".")[0], pwd.getpwuid(os.getuid()).pw_name
    port, *ports = free_ports(1 + len(NODES))
    waits = {"kill_wait": KILL_WAIT_SECONDS, "credential": CREDENTIAL_SECONDS}
    text = CONFIGURATION.format(folder=folder, host=host, user=user, port=port, **waits)
    text += f"PluginDir={plugins}\n" if plugins else ""
    text += "".join(NODE.format(name=name, host=host, port=port) for name, port in zip(NODES, ports, strict=True))
    path = folder / "slurm.conf"
    path.write_text(text + PARTITIONS.format(grace=GRACE_SECONDS))
    return path


@contextmanager
def running(tools: Tools, folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons in a new folder with a short path; yield the environment of SLURM's commands.

    At the end all processes of the cluster are killed, those of jobs too.
    """
    environment = tools.environment()
    environment["SLURM_CONF"] = str(write_configuration(folder, tools.plugins()))
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    munged = [f"--{name}={folder}/munge.{ending}" for name, ending in MUNGE_FILES.items()]
    stepd = ["-d", tools.program("slurmstepd")] if tools.folder else []
    daemons = [["munged", "--foreground", "--force", *munged], ["slurmctld", "-D"]]
    daemons += [["slurmd", "-D", "-N", node, *stepd] for node in NODES]
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    started = []
    try:
        for name, *words in daemons:
            command = ["setpriv", "--pdeathsig", "KILL", tools.program(name), *words]
            with (folder / f"{name}.out").open("ab") as out:
                streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
                started.append(subprocess.Popen(command, env=environment, cwd=folder, **streams))
        yield environment
    finally:
        for daemon in reversed(started):
            daemon.kill()
            daemon.wait()
        kill_all(environment["SLURM_CONF"])


def processes(variable: str, value: str) -> list[int]:
    """Live processes with this environment variable."""
    found, wanted = [], f"{variable}={value}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return [pid for pid in found if pid != os.getpid()]


def kill_all(configuration: str) -> None:
    """Kill what the cluster has started and wait for the end."""
    until = time.monotonic() + 20
    while left := processes("SLURM_CONF", configuration):
        assert time.monotonic() < until, left
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
