"""``rlvr spectra``: the update between two checkpoints, by its singular values and against its base."""

from pathlib import Path
from typing import Annotated

import typer

from rlvr.cli.console import AsJson, err, examples, need, print_json, print_table, progress
from rlvr.core.errors import InputError
from rlvr.core.places import shared_root

EXAMPLES = examples(
    "rlvr spectra base/ tuned/",
    "rlvr spectra base/ runs/mine --out spectra/mine",
    "rlvr spectra base/ adapter/ --by layer --json",
    "rlvr spectra base-8b/ tuned-8b/ --estimated --depths 0,0.5,1",
)
WIDTH_SHARE = 16  # ASSUME: principal rank and leading directions are 1/16 of the width, as at scale tiny


def spectra(
    base: Annotated[Path, typer.Argument(help="Base model, Hugging Face layout, safetensors.")],
    tuned: Annotated[Path, typer.Argument(help="Checkpoint, PEFT adapter (LoRA, DoRA, QuanTA), or folder of a run.")],
    target: Annotated[Path, typer.Option("--out", help="Folder of the tables (Parquet) and figures (PNG).")] = Path(
        "spectra"
    ),
    by: Annotated[str, typer.Option(help="Rows of the table: projection, layer or module.")] = "projection",
    estimated: Annotated[
        bool, typer.Option(help="Estimate the spectra of large modules, with standard errors.")
    ] = False,
    depths: Annotated[
        str, typer.Option(help="Depths that are decomposed, 0 to 1, joined by commas; all by default.")
    ] = "",
    figures: Annotated[bool, typer.Option(help="Draw the figures.")] = True,
    as_json: AsJson = False,
) -> None:
    """Measure every module's update: ranks, norms, sparsity, angles; table, Parquet and PNG.

    No module is skipped: a tensor that nothing accounts for ends the command with its name. What such numbers can and
    cannot say stands in docs/spectra.md.
    """
    need("spectra", "torch", "safetensors", "pandas", "pandera", "scipy", "matplotlib", "seaborn")
    from rlvr.report.pair_tables import GROUPINGS, summarise_pair
    from rlvr.spectra.measure import measure_pair
    from rlvr.spectra.settings import settings_for

    if by not in GROUPINGS:
        raise InputError("--by", f"is '{by}'.", f"Choose one of {', '.join(GROUPINGS)}.")
    name = target.name
    files = {kind: target / f"{kind}.parquet" for kind in ("spectra", "diagnostics")}
    settings = settings_for(base, WIDTH_SHARE, read_depths(depths))
    with progress("measuring") as ticker:
        measure_pair(base, tuned, name, settings, files["spectra"], files["diagnostics"], estimated, tell=ticker.tick)
    if figures:
        draw(name, files, target)
    summary = summarise_pair(files["spectra"], files["diagnostics"], by)
    if as_json:
        print_json(summary.to_dict("records"))
    else:
        rows = ([f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row] for row in summary.values.tolist())
        print_table(list(summary.columns), rows)
    err().print(f"Tables{' and figures' if figures else ''}: {target}/", markup=False)


def read_depths(text: str) -> tuple[float, ...] | None:
    """Depths from 0 to 1; ``None`` for all layers.

    Raises:
        InputError: For what is no such number.
    """
    try:
        found = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InputError("--depths", f"is '{text}'.", "Write numbers from 0 to 1 joined by commas.") from error
    if any(not 0 <= depth <= 1 for depth in found):
        raise InputError("--depths", f"is '{text}'.", "0 is the first layer, 1 the last one.")
    return found or None


def draw(name: str, files: dict[str, Path], target: Path) -> None:
    """Both figures of a pair as PNG: the effective rank by layer and projection, the update against its base."""
    from rlvr.report.measured import plot_pair

    style = shared_root() / "paper" / "style.mplstyle"
    places = [str(target / f"{figure}.png") for figure in ("effective_rank", "geometry")]
    plot_pair(name, str(files["spectra"]), str(files["diagnostics"]), str(style), *places)
