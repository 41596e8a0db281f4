"""Target sets: which projections of the decoder layers a method adapts, by name and never by a library's default."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rlvr.core.errors import InputError

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
PROJECTIONS = (*ATTENTION, *MLP)

TARGET_SETS: Mapping[str, tuple[str, ...]] = {
    "all_linear": ATTENTION + MLP,
    "no_v_proj": ("q_proj", "k_proj", "o_proj", *MLP),
    "no_kv": ("q_proj", "o_proj", *MLP),
    "attention": ATTENTION,
    "mlp": MLP,
    "kv_down": ("k_proj", "v_proj", "down_proj"),  # SOURCE: Liu et al. 2022 (IA3): keys, values, feed-forward
}

LAYER = re.compile(r"\.layers\.(\d+)\.")
SHOWN_LAYERS = 8  # in a message

ABSENT_BY_ARCHITECTURE: Mapping[str, frozenset[str]] = {
    "apertus": frozenset({"gate_proj"}),  # SOURCE: its MLP is up_proj, xIELU, down_proj, without a gate
}


def resolve_targets(target_set: str, architecture: str, module_names: Iterable[str]) -> list[str]:
    """Projections that a target set adapts in a model.

    Args:
        target_set: Key of ``TARGET_SETS``.
        architecture: The configuration's ``model_type``, e.g. ``qwen3``.
        module_names: Qualified names of the model's linear modules, e.g. ``model.layers.0.self_attn.q_proj``.

    Returns:
        Last parts of the names, e.g. ``q_proj``, which PEFT matches as suffixes.

    Raises:
        InputError: If the set is unknown, or a projection that the architecture should have is in no module or missing
            in some layers: a method would then adapt a part of the model only.
    """
    if target_set not in TARGET_SETS:
        raise InputError(f"target set '{target_set}'", "unknown.", f"Known sets: {', '.join(TARGET_SETS)}.")
    absent = ABSENT_BY_ARCHITECTURE.get(architecture, frozenset())
    expected = [name for name in TARGET_SETS[target_set] if name not in absent]
    names = list(module_names)
    present = {name.rpartition(".")[2] for name in names}
    if missing := [name for name in expected if name not in present]:
        remedy = f"Its linear modules are called {', '.join(sorted(present))}; see rlvr/plan/targets.py."
        raise InputError(f"architecture '{architecture}'", f"has no {', '.join(missing)} ({target_set}).", remedy)
    check_layers(expected, target_set, architecture, names)
    return expected


def check_layers(expected: Sequence[str], target_set: str, architecture: str, names: Iterable[str]) -> None:
    """Refuse a model in which some layers lack a projection that others have, as in hybrid architectures.

    Raises:
        InputError: Names the projections and the layers without.
    """
    layers: dict[int, set[str]] = {}
    for name in names:
        if match := LAYER.search(name):
            layers.setdefault(int(match[1]), set()).add(name.rpartition(".")[2])
    for projection in expected:
        without = [str(number) for number, held in sorted(layers.items()) if projection not in held]
        if without and len(without) < len(layers):
            shown = ", ".join(without[:SHOWN_LAYERS]) + (", ..." if len(without) > SHOWN_LAYERS else "")
            problem = f"{len(without)} of {len(layers)} layers have no {projection} ({target_set}): {shown}."
            remedy = "Choose a target set that every layer has; see rlvr/plan/targets.py."
            raise InputError(f"architecture '{architecture}'", problem, remedy)
