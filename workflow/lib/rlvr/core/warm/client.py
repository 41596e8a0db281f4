"""What Snakemake starts instead of bash, and jobs instead of python: a job handed to the server, or run as always.

Run by path, isolated and without site packages, so that it starts in some ten milliseconds: it may import nothing but
the standard library.
"""

import json
import os
import re
import shlex
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

PREFIX = "set -euo pipefail;"  # what Snakemake writes before every command
RULE_OF_SCRIPT = re.compile(r"\.([a-z_]+)\.py")  # Snakemake's copy of a script: tmp<random>.<script>.py
LENGTH = struct.Struct("!I")
THREADS = ("OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
           "NUMEXPR_NUM_THREADS")  # fmt: skip
NOT_TAKEN = "-"  # answer of a server that cannot fork
LOST = 1  # exit status of a job whose server died


def main(arguments: Sequence[str]) -> int:
    """Run ``client.py <settings> (shell | python) <arguments of bash or python>``; see ``keeper.Settings``."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    kind, rest = arguments[1], list(arguments[2:])
    known = set(settings["jobs"])
    job = script_of(rest, settings["python"], known) if kind == "shell" else module_of(rest, known)
    if job is not None and threads(os.environ) == settings["threads"]:
        status = hand_over(settings["socket"], job, environment(settings, kind="python"))
        if status is not None:
            return status
    program = settings["bash"] if kind == "shell" else settings["python"]
    return os.execve(program, [program, *rest], environment(settings, kind))


def script_of(arguments: Sequence[str], python: str, known: set[str]) -> list[str] | None:
    """The script of ``-c 'set -euo pipefail; <python> <script>'`` as the arguments of python, if its rule is known."""
    if len(arguments) != 2 or arguments[0] != "-c" or not arguments[1].startswith(PREFIX):
        return None
    command = arguments[1].removeprefix(PREFIX).strip()
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if len(words) != 2 or shlex.join(words) != command or words[0] != python:
        return None
    named = RULE_OF_SCRIPT.search(words[1])
    return words[1:] if named and named[1] in known else None


def module_of(arguments: Sequence[str], known: set[str]) -> list[str] | None:
    """The arguments of ``python -m <module> ...``, if the module is known."""
    return list(arguments) if arguments[:1] == ["-m"] and arguments[1:2] and arguments[1] in known else None


def threads(variables: dict[str, str] | os._Environ[str]) -> list[str]:
    """Numbers of threads that libraries read when they are loaded."""
    return [variables.get(name, "") for name in THREADS]


def environment(settings: dict[str, str], kind: str) -> dict[str, str]:
    """Variables of the job: for bash with our ``python`` first in the path, for python without it."""
    folder, entries = settings["bin"], os.environ.get("PATH", "").split(os.pathsep)
    path = [entry for entry in entries if entry != folder]
    return {**os.environ, "PATH": os.pathsep.join([folder, *path] if kind == "shell" else path)}


def hand_over(address: str, arguments: list[str], variables: dict[str, str]) -> int | None:
    """Let the server run a job with this process's files, folder and variables.

    Returns:
        Exit status of the job, as bash would give it; ``None`` if no server answers, or it does not take the job.
    """
    message = json.dumps({"arguments": arguments, "folder": str(Path.cwd()), "variables": variables}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            socket.send_fds(connection, [LENGTH.pack(len(message))], [0, 1, 2])
            connection.sendall(message)
        except OSError:
            return None
        answer = connection.makefile("rb").read()
    if not answer:
        print("The process that runs the jobs of this workflow ended; run it again.", file=sys.stderr)
        return LOST
    return None if answer == NOT_TAKEN.encode() else int(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
