"""The recipe of a paper, bound to a scale: a grid row's resolved settings.

A setting is taken from the recipe of the study, over it what the scale must set at its size, over it what the row says.
The scale then applies its factors (on rates), its rule for ranks and its caps (on lengths and steps).
"""

from collections.abc import Mapping
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.adjusting import drop_defaults, fit_generation, neutral_for, scaled_buffer, scaled_steps
from rlvr.plan.method import Methods, look_up_method
from rlvr.plan.settings import IN_PLACE, TrainSettings

OF_METHOD = {"rate_ratio": float, "density": float, "block_size": int, "butterfly_factors": int}
DEFAULT = "default"
LARGEST_RATE = 1  # as the schema of recipes has it
DIGITS = 12  # significant digits of a scaled rate: 1e-5 x 1000 is 0.01
CAPPED = ("max_prompt_tokens", "max_completion_tokens", "max_steps")


def resolve_settings(
    row: Mapping[str, Any],
    recipe: Mapping[str, Any],
    scale: Mapping[str, Any],
    methods: Methods,
    ranks: Mapping[int, int],
    where: object,
) -> dict[str, Any]:
    """Bind a grid row to its study's recipe and to a scale.

    Args:
        row: Typed grid row with its ``run_id``; a cell that is ``None`` takes the recipe's value.
        recipe: Complete recipe of the study.
        scale: Content of the scale file.
        methods: The registry of methods.
        ranks: Rank that is trained for every printed one (``scale.scale_ranks``).
        where: File or line that a message shall name; the run id is added.

    Returns:
        The fields of ``TrainSettings`` as JSON values, without those that came later and have the value that earlier
        runs had without a word (``settings.LATER``).

    Raises:
        InputError: If the recipe has no rate for the row's family, the scale no dims for its axes, or the settings
            contradict each other.
    """
    where = f"{where}, run '{row['run_id']}'"
    cells = {name: value for name, value in row.items() if value is not None}
    method = look_up_method(where, row["method"], methods)
    resolved = {key: value for key, value in recipe.items() if key != "learning_rate"} | dict(scale["settings"])
    resolved |= {key: value for key, value in cells.items() if key in recipe and key != "learning_rate"}
    resolved |= neutral_for(cells, resolved["algorithm"], where)
    stated = dict(resolved)
    resolved |= {key: min_given(resolved[key], scale["caps"].get(key)) for key in CAPPED}
    resolved |= {"overlong_buffer_tokens": scaled_buffer(stated, resolved["max_completion_tokens"])}
    resolved |= {"completions_per_step": fit_generation(resolved, scale["caps"].get("completions_per_generation"))}
    kept = scaled_steps(stated, resolved["max_steps"], where)
    resolved |= {name: cells[name] for name in ("run_id", "model", "dataset", "method", "seed")}
    resolved |= {"template": template_of(cells, scale), "recipe_version": scale["recipe_version"]}
    resolved |= {
        "rank": None if "rank" not in cells else ranks[cells["rank"]],
        "alpha": scaled_alpha(cells, ranks),
        "dims": None if "axes" not in cells else list(_entry(where, scale, "quanta_dims", cells["axes"])),
        "target_modules": cells.get("target_modules"),
        "learning_rate": scaled_rate(where, cells, recipe, scale, method.family),
        "micro_batch_completions": micro_batch(resolved),
        "dropout": adapter_dropout(where, cells, resolved["dropout"], method),
        "rollout_weights": rollout_weights(where, resolved["rollout_weights"], method),
        "printed": {name: cells.get(name) for name in ("model", "rank", "alpha")},
        "keep_steps": list(kept.values()),
    }
    if kept:
        resolved["printed"]["keep_steps"] = list(kept)
    resolved |= {name: kind(cells[name]) for name, kind in OF_METHOD.items() if name in cells}
    TrainSettings.from_json(resolved, where)
    return drop_defaults(resolved)


def template_of(cells: Mapping[str, Any], scale: Mapping[str, Any]) -> str:
    """The prompt template of the model that a row starts from: its own, or that of the scale."""
    dataset = scale["datasets"].get(cells["dataset"], {})
    model = scale["models"].get(dataset.get("stand_in_model", cells["model"]), {})
    return str(model.get("template", scale["template"]))


def min_given(value: int, cap: int | None) -> int:
    """The value, or its cap where that is smaller; 0 means "not given" for either.

    >>> min_given(1024, 20), min_given(0, 20), min_given(7168, None)
    (20, 0, 7168)
    """
    return min(value, cap) if cap and value else value


def scaled_alpha(cells: Mapping[str, Any], ranks: Mapping[int, int]) -> float | None:
    """Alpha at the trained rank, so that alpha / r keeps its printed value."""
    if "alpha" not in cells:
        return None
    printed = cells.get("rank")
    return float(cells["alpha"]) if printed is None else float(cells["alpha"]) * ranks[printed] / printed


def scaled_rate(
    where: str, cells: Mapping[str, Any], recipe: Mapping[str, Any], scale: Mapping[str, Any], family: str
) -> float:
    """The peak learning rate: printed (by row, by family, or by default), times the scale's factor for the family.

    Raises:
        InputError: If the recipe names no rate for the family, or the scaled one is none that training would survive.
    """
    rates, factors = recipe["learning_rate"], scale["factors"]["learning_rate"]
    printed = cells.get("learning_rate", rates.get(family, rates.get(DEFAULT)))
    if printed is None:
        remedy = f"It names: {', '.join(rates)}. Add '{family}' or '{DEFAULT}' there, or set the rate in the row."
        raise InputError(where, f"the recipe has no rate for the family '{family}'.", remedy)
    rate = float(f"{printed * factors.get(family, factors[DEFAULT]):.{DIGITS}g}")
    if not 0 < rate <= LARGEST_RATE:
        problem = f"its rate, {printed:g} times the scale's factor for '{family}', is {rate:g}."
        raise InputError(where, problem, f"Correct the factor: a rate is above 0 and at most {LARGEST_RATE}.")
    return rate


def micro_batch(resolved: Mapping[str, Any]) -> int:
    """Completions of one forward pass: the scale's number, or the largest below it that tiles a step on its devices.

    >>> micro_batch({"micro_batch_completions": 64, "completions_per_step": 96, "devices": 0})
    48
    """
    per_device = max(resolved["completions_per_step"] // max(resolved["devices"], 1), 1)
    return next((n for n in range(resolved["micro_batch_completions"], 0, -1) if per_device % n == 0), 1)


def rollout_weights(where: str, stated: str, method: Any) -> str:
    """What samples the rollouts.

    Raises:
        InputError: If a method that trains weights of the base is to be merged into them.
    """
    if stated == IN_PLACE and method.tuner is None:
        remedy = "Leave rollout_weights at 'exact' for it."
        raise InputError(where, f"method '{method.name}' has no adapter that could be merged in place.", remedy)
    return stated


def adapter_dropout(where: str, cells: Mapping[str, Any], dropout: float, method: Any) -> float:
    """Dropout of the adapter's input: the recipe's where the method has one, otherwise 0.

    Raises:
        InputError: If the row itself asks for a dropout that its method does not have.
    """
    if method.has_dropout or not dropout:
        return float(dropout)
    if cells.get("dropout"):
        raise InputError(where, f"method '{method.name}' has no dropout.", "Leave the cell empty.")
    return 0.0


def _entry(where: str, scale: Mapping[str, Any], table: str, key: Any) -> Any:
    """``scale[table][key]``, or an error that names both."""
    if key not in scale[table]:
        known = ", ".join(map(str, scale[table]))
        raise InputError(where, f"the scale has no {table} for {key}.", f"It has: {known}. Add it there.")
    return scale[table][key]
