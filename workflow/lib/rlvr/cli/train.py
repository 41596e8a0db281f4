"""``rlvr train``: one run, from its spec to its manifest."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr.cli.console import AsJson, err, examples, need, print_json
from rlvr.core.errors import InputError
from rlvr.core.places import shared_root

EXAMPLES = examples(
    "rlvr train results/tiny/specs/qwen3-8b_deepmath-hard_lora-r8_bs64_s42.json",
    "rlvr train spec.json --base base/ --problems train.parquet --out runs/mine",
)
SPECS = "specs"  # folder of specs below results/<scale>
STOPPED = 75  # exit code of a training that can go on (EX_TEMPFAIL of sysexits.h)


def train(
    spec: Annotated[Path, typer.Argument(help="Resolved settings of the run: specs/<run>.json.")],
    base: Annotated[Path | None, typer.Option(help="Base model, Hugging Face layout.")] = None,
    problems: Annotated[Path | None, typer.Option(help="Training problems (Parquet), as curation writes them.")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Folder of the run.")] = None,
    decomposition: Annotated[Path | None, typer.Option(help="Singular triples of the base (safetensors).")] = None,
    checkpoint_every_steps: Annotated[int | None, typer.Option(min=1, help="Over the spec's setting.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train one run; goes on from its last checkpoint, and trains nothing that is finished.

    A spec in results/<scale>/specs finds its base, problems and folder beside it, where the workflow put them.
    """
    need("train", "torch", "transformers", "peft", "trl", "accelerate", "datasets", "pandera", "pebble")
    from rlvr.core.imports import collector_paused
    from rlvr.core.io import read_json

    places = find_places(spec, base, problems, target)
    check_places(places)
    err().print("\n".join(f"{name}: {path}" for name, path in places.items()), markup=False)
    with collector_paused():
        from rlvr.train.run import train_run
        from rlvr.train.stopping import RunStopped
    try:
        with redirect_stdout(sys.stderr):  # the log of the training; results alone go to standard output
            train_run(spec, places["base"], places["problems"], places["out"], decomposition, checkpoint_every_steps)
    except RunStopped as stopped:
        err().print(str(stopped), markup=False)
        raise typer.Exit(STOPPED) from stopped
    if as_json:
        manifest = read_json(places["out"] / "run.json")
        print_json({key: manifest[key] for key in ("run_id", "status", "steps", "trainable_parameters", "wall_time_s")})


def find_places(spec: Path, base: Path | None, problems: Path | None, out: Path | None) -> dict[str, Path]:
    """Base, problems and folder of a run: as asked for, otherwise where the workflow keeps those of a spec.

    Raises:
        InputError: If the spec is not there, or lies elsewhere and one of them was not given.
    """
    from rlvr.core.io import read_json

    if not spec.is_file():
        raise InputError(spec, "no such file.", "Name a spec; the workflow writes them to results/<scale>/specs.")
    asked = {"base": base, "problems": problems, "out": out}
    missing = [f"--{name}" for name, path in asked.items() if path is None]
    if missing and spec.resolve().parent.name != SPECS:
        raise InputError(spec, f"lies in no folder '{SPECS}'.", f"Give {', '.join(missing)}.")
    settings, results = read_json(spec), spec.parent.parent
    if not isinstance(settings, Mapping):
        raise InputError(spec, "is no object.", 'Write the settings of a run as JSON: {"run_id": ..., ...}.')
    known = {
        "base": results / "models" / base_name(settings, results.resolve().name),
        "problems": results / "data" / str(settings.get("dataset")) / "train.parquet",
        "out": results / "train" / spec.stem,
    }
    return {name: asked[name] or known[name] for name in asked}


def check_places(places: Mapping[str, Path]) -> None:
    """Check that base and problems are there, before anything is loaded.

    Raises:
        InputError: Names the one that is missing and how to name another.
    """
    for name, exists, kind in (("base", Path.is_dir, "folder"), ("problems", Path.is_file, "file")):
        if not exists(places[name]):
            raise InputError(places[name], f"no such {kind}.", f"Name it with --{name}, or let the workflow make it.")


def base_name(settings: Mapping[str, Any], scale_name: str) -> str:
    """Name of the base of a run at a scale, whose data sets may have a stand-in of their own."""
    from rlvr.plan.scale import load_scale

    scales, schemas = (shared_root() / "workflow" / name for name in ("scales", "schemas"))
    scale = load_scale(scale_name, scales, schemas) if (scales / f"{scale_name}.yaml").is_file() else {"datasets": {}}
    own = scale["datasets"].get(settings.get("dataset"), {}).get("stand_in_model")
    return str(own or settings.get("model"))
