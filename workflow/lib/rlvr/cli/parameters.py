"""``rlvr parameters``: what methods train of a model and hold in memory, at real size, without weights."""

from typing import Annotated, Any

import typer

from rlvr.cli.console import AsJson, examples, need, print_json, print_table
from rlvr.core.errors import InputError
from rlvr.core.places import shared_root

EXAMPLES = examples(
    "rlvr parameters qwen3-8b lora dora quanta full",
    "rlvr parameters qwen3-8b 'lora:rank=8|64,alpha=32' quanta:axes=4",
    "rlvr parameters my-model/ lora:rank=4 quanta:dims=24x24 --set devices=1",
    "rlvr parameters llama-3.1-8b lora --card 24 --json",
)
STUDY, SCALE = "structure-over-scale", "paper"


def parameters(
    model: Annotated[str, typer.Argument(help="Name of data/configs, folder of a model, or a config.json.")],
    methods: Annotated[
        list[str], typer.Argument(help="Methods with settings: lora:rank=8,alpha=16.", metavar="METHOD...")
    ],
    card: Annotated[float, typer.Option(help="Memory of a card in GiB; 0 for the card of scale paper.")] = 0.0,
    changes: Annotated[list[str] | None, typer.Option("--set", help="A setting over the recipe: devices=1.")] = None,
    build: Annotated[bool, typer.Option(help="Count again on modules without storage (needs torch and peft).")] = False,
    as_json: AsJson = False,
) -> None:
    """Trainable parameters, optimizer states and memory of one card for every method, by closed forms.

    Batch, lengths and precision are those of "Structure Over Scale" at scale paper, unless --set changes them. Memory
    is that of one card under DDP, ZeRO-2 and FSDP2. Needs no torch, unless --build is asked for.
    """
    from rlvr.adapters.methods import METHODS
    from rlvr.plan.asked_methods import (
        asked_settings,
        base_facts,
        count_asked,
        fit_lengths,
        read_changes,
        read_shape,
        read_words,
    )
    from rlvr.plan.scale import load_scale
    from rlvr.plan.study import complete_recipe

    workflow = shared_root() / "workflow"
    studies, scales, schemas = (workflow / name for name in ("studies", "scales", "schemas"))
    configs = shared_root() / "data" / "configs"
    name, shape = read_shape(model, configs)
    scale = fit_lengths(load_scale(SCALE, scales, schemas), shape)
    recipe = complete_recipe(STUDY, studies, schemas)
    settings = [
        asked_settings(row, recipe, scale, METHODS, read_changes(changes or ())) for row in read_words(methods, METHODS)
    ]
    card_gib = card or scale["resources"]["train"]["card_gib"]
    rows = count_asked(shape, settings, METHODS, card_gib)
    if build:
        need("adapters", "torch", "transformers", "peft")
        rows = [{**row, "built": count_built(model, each)} for row, each in zip(rows, settings, strict=True)]
    facts = base_facts(name, shape)
    if as_json:
        print_json({**facts, "card_gib": card_gib, "methods": rows})
        return
    title = (
        f"{name}: {facts['architecture']}, {facts['parameters']:,} parameters, {facts['bfloat16_gib']} GiB in bfloat16"
    )
    heads = {"share_percent": "share (%)", "optimizer_gib": "optimizer (GiB)", "fits": f"fits {card_gib:g} GiB"}
    heads |= {sharding: f"{sharding} (GiB)" for sharding in ("ddp", "zero2", "fsdp2")}
    print_table([heads.get(key, key) for key in rows[0]], [list(row.values()) for row in rows], title)


def count_built(model: str, settings: Any) -> int:
    """Trainable parameters of a model built on modules without storage, as a run would make it."""
    from rlvr.plan.asked_methods import config_path
    from rlvr.train.footprint import count_parameters, read_architecture

    path = config_path(model, shared_root() / "data" / "configs")
    try:
        return count_parameters(read_architecture(path), settings).trainable
    except TypeError as error:
        raise InputError(path, f"cannot be built ({error}).", "Leave --build out.") from error
