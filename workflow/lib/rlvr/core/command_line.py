"""Mistakes on the command line and a project that takes no files: Snakemake would answer with a traceback.

``profiles/default/profile.yaml`` calls ``check_command_line``: Snakemake reads it before its own arguments, and a
profile is the only file of a project that it reads so early.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlvr.core.errors import InputError
from rlvr.core.writable import check_folder

NAMED = re.compile(r"[a-zA-Z_][\w-]*=.*", flags=re.DOTALL)  # SOURCE: Snakemake's manual, option --config
FILES = ("--configfile", "--configfiles")
VALUES = ("--config", "-C")
FOLDERS = ("--directory", "-d")
RUNS_NOTHING = frozenset({"--help", "-h", "--version", "-v"})
RECORDS = ".snakemake"


def check_command_line(arguments: Sequence[str]) -> None:
    """Check the values of ``--config`` and ``--configfile``, and whether Snakemake can keep its records.

    Args:
        arguments: Of snakemake, without its own name.

    Raises:
        InputError: For what is not ``name=value``, for a file that is not there, or if nothing can be written where
            Snakemake works.
    """
    folder = Path()
    for option, value in _values(arguments):
        if option in VALUES and not NAMED.fullmatch(value):
            remedy = "Write e.g. `--config tier=full`; targets stand before --config, or behind `--`."
            raise InputError(f"{option} {value}", "is not name=value.", remedy)
        if option in FILES and not Path(value).is_file():
            remedy = "Name a file of configuration; targets stand before --configfile, or behind `--`."
            raise InputError(f"{option} {value}", "no such file.", remedy)
        if option in FOLDERS:
            folder = Path(value)
    if not RUNS_NOTHING.intersection(arguments):
        check_folder(folder / RECORDS)


def target_rules(arguments: Sequence[str]) -> list[str]:
    """The rule of every job that a call of snakemake within a job runs (``--target-jobs rule:name=value,...``)."""
    return [value.partition(":")[0] for option, value in _values(arguments) if option == "--target-jobs"]


def _values(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every value with its option, as argparse gives an option all that follows up to the next one."""
    option = ""
    for argument in arguments:
        if argument == "--":
            return
        if argument.startswith("-"):
            option, separator, value = argument.partition("=")
            if separator:
                yield option, value
        else:
            yield option, argument
