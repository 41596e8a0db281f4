"""``python -m rlvr.core.launching <command> ...``: start a launcher that leaves SIGTERM to the processes it starts.

Slurm sends SIGTERM to every process of a job, and at a time limit twice within a moment. The processes of a training
then finish their step and save; torchrun, behind accelerate, ends at the second one and takes them with it. In a job of
Slurm the signal is blocked here, which programs inherit, and each process of a training takes it up again by itself
(``train.stopping``). Elsewhere nothing is changed: a signal to the launcher alone has to reach what it started.
"""

import os
import signal
import sys

from rlvr.core.locks import JOB_VARIABLE


def main(command: list[str]) -> None:
    """Become the command.

    Raises:
        OSError: If there is no such program.
    """
    if JOB_VARIABLE in os.environ:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
