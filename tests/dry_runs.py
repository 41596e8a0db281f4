"""Dry runs of Snakemake as forks of one process that has imported it: importing takes longer than most plans.

As a program it reads requests from its standard input, one a line, and answers with their exit status; a test calls
:func:`plan`. What a fork imports of ``rlvr`` it takes from its own checkout: the process has imported none of it.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

IMPORTED = ("snakemake.cli", "snakemake.api", "snakemake.report", "pandas", "jsonschema", "yaml", "filelock")
_servers: list[subprocess.Popen[str]] = []  # of this process: one, once it is needed


def plan(folder: Path, arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Exit status of `snakemake` with such arguments in a folder, and its output and errors, joined."""
    with tempfile.TemporaryFile("w+") as out:
        server = _server()
        asked = {"folder": str(folder), "arguments": arguments, "environment": environment}
        # the file is named by this process, whose child the server is: it may open it
        request = json.dumps(asked | {"out": f"/proc/{os.getpid()}/fd/{out.fileno()}"})
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(request + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the process that makes dry runs has ended"
        out.seek(0)
        return int(answer), out.read()


def _server() -> subprocess.Popen[str]:
    if not _servers:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        _servers.append(subprocess.Popen([sys.executable, __file__], **pipes))
    return _servers[0]


def end() -> None:
    """End the process that makes dry runs, where there is one."""
    while _servers:
        _servers.pop().communicate()  # closes its input, at which it ends


def serve() -> None:
    """Answer requests until there are no more."""
    for name in IMPORTED:
        importlib.import_module(name)
    sys.modules["snakemake.cli"].get_argument_parser([])  # imports the plugins
    answers = os.fdopen(os.dup(1), "w")  # what a fork inherits of standard output is redirected
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            run(json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        answers.write(f"{status}\n")
        answers.flush()


def run(asked: dict[str, Any]) -> None:
    """In a fork: become `python -m snakemake` in that folder, and end with its status."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        out = os.open(asked["out"], os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        import snakemake.cli

        sys.path[0] = asked["folder"]  # what `-m` puts there
        sys.argv = [str(Path(snakemake.__file__).with_name("__main__.py")), *asked["arguments"]]
        snakemake.cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
