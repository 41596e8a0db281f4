"""The commands of ``rlvr`` under one name, and how they end.

Exit codes: 0 done; 1 something that the user supplied is wrong, or a package is missing (one sentence says which); 2
the command line cannot be read; 75 a training was asked to stop and can go on; 130 interrupted.
"""

import sys
from pathlib import Path

import typer

from rlvr.cli import audit, grade, parameters, samples, spectra, train, watch
from rlvr.core.errors import InputError
from rlvr.core.writable import explained

EXIT_CODES = (
    "Exit codes: 0 done, 1 wrong input or a missing package, 2 wrong command line, 75 stopped, 130 interrupted."
)

app = typer.Typer(
    name="rlvr",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Adapters for reinforcement learning with verifiable rewards: grade, measure, count, compare, train.",
    epilog=EXIT_CODES,
)
for module in (grade, spectra, parameters, audit, samples, train, watch):
    app.command(epilog=module.EXAMPLES)(getattr(module, module.__name__.rpartition(".")[2]))


def main() -> None:
    """Run the command line; what is wrong with an input ends it with one sentence and status 1."""
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # a reader such as `head` has seen enough
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        told = explained(error, Path.cwd())
        if told is error:
            raise
        typer.echo(f"error: {told}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
