"""The configuration beyond its JSON schema: numbers of the command line, folders, pairs whose files would collide."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rlvr.core.errors import InputError
from rlvr.core.schemas import CONFIG

NUMBERS = ("integer", "number", "boolean")  # types of a schema that Snakemake hands over as text within tables
FOLDERS = ("grade_cache", "hub_cache", "scratch")  # made where they are missing; on a node, the last
FILES_OF_A_PAIR = ("_diagnostics", "_map", "_geometry")  # what stands behind a pair's name


def typed(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line gave, with numbers and texts where the schema wants them.

    Snakemake reads ``--config limits='{mem_mb: 8000}'`` as a table of texts.

    Args:
        given: What stood behind ``--config``, as Snakemake read it.
        schema: JSON schema of the configuration. What fits no type of it is left for the schema's own message.
    """
    found: dict[str, Any] = {}
    for key, value in given.items():
        part = schema.get("properties", {}).get(key, {})
        if isinstance(value, Mapping):
            value = typed(value, part)
        elif isinstance(value, str) and part.get("type") in NUMBERS:
            value = _number(value)
        elif type(value) is int and part.get("type") == "string":
            value = str(value)  # `--config gpus=0`
        found[key] = value
    return found


def _number(text: str) -> Any:
    """A number or truth value that YAML reads in a text, otherwise the text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, int | float) else text


def check_configuration(config: Mapping[str, Any]) -> None:
    """Check folders and pairs that the configuration names.

    Raises:
        InputError: Names the key, and the folder or the pair.
    """
    mirror, origin = config["sources"]["mirror_dir"], config["sources"]["origin"]
    if origin == "mirror" and not mirror:
        raise InputError(CONFIG, "key 'sources': origin mirror needs a folder.", "Set sources.mirror_dir.")
    if mirror and not Path(mirror).is_dir():
        problem = f"key 'sources.mirror_dir': '{mirror}' is not a folder."
        raise InputError(CONFIG, problem, "Name the folder that holds the files of data/sources.csv.")
    for key in FOLDERS:
        check_folder(config[key], f"{CONFIG}, key '{key}'")
    for name, pair in config["pairs"].items():
        check_configured_pair(name, pair, f"{CONFIG}, pair '{name}'")
        if longer := [name + end for end in FILES_OF_A_PAIR if name + end in config["pairs"]]:
            problem = f"the files of pair '{longer[0]}' would be those of pair '{name}'."
            raise InputError(CONFIG, problem, "Rename one of them.")


def check_folder(path: str, where: object) -> None:
    """Check that a folder which is made where it is missing can be one.

    Raises:
        InputError: If something else has its name, or a part of it.
    """
    if not path.isprintable():
        raise InputError(where, f"{path!r} holds a control character.", "Write the path of a folder.")
    expanded = Path(path).expanduser()
    if taken := [each for each in (expanded, *expanded.parents) if each.exists() and not each.is_dir()]:
        raise InputError(where, f"'{taken[0]}' is not a folder.", "Name another one.")


def check_configured_pair(name: str, pair: Mapping[str, Any], where: str) -> None:
    """Check that both sides of a pair are folders, or results that are still to be made.

    Raises:
        InputError: Names the pair, the side and the path.
    """
    for side in ("base", "tuned"):
        path = pair[side]
        if "{" in path or "}" in path:
            raise InputError(where, f"{side} '{path}' has braces in it.", "Rename the folder, or link to it.")
        if not Path(path).is_dir() and (Path(path).exists() or Path(path).parts[:1] != ("results",)):
            raise InputError(
                where, f"{side} '{path}' is not a folder.", "Name a folder of safetensors, a run or an adapter."
            )


def check_engine(config: Mapping[str, Any], scale: Mapping[str, Any], scale_name: str) -> None:
    """Check that vLLM has a GPU wherever it is asked for, and that it is installed if the configuration asks for it.

    A scale that asks for it can be planned on a machine that has neither.

    Args:
        config: The configuration.
        scale: Content of the scale.
        scale_name: Its name.

    Raises:
        InputError: Names the key.
    """
    asked = {
        f"{CONFIG}, key 'engine'": (config["engine"], scale["resources"]["sample"]["gpu"], "resources.sample.gpu"),
        f"scale '{scale_name}', key 'settings.generation'": (
            scale["settings"]["generation"],
            scale["settings"]["devices"],
            "settings.devices",
        ),
    }
    for where, (engine, gpus, key) in asked.items():
        if engine == "vllm" and not gpus:
            raise InputError(where, f"vllm needs a GPU, and {key} is 0.", "Choose 'transformers', or another scale.")
    check_shards(config, scale, scale_name)
    check_gpus(config, scale)


def check_gpus(config: Mapping[str, Any], scale: Mapping[str, Any]) -> None:
    """Check that as many GPUs are listed as the largest job takes; how many there are otherwise, jobs ask the driver.

    Args:
        config: The configuration.
        scale: Content of the scale.

    Raises:
        InputError: Names the key and the stage.
    """
    listed = {name.strip() for name in config["gpus"].split(",")} - {""}
    if listed in (set(), {"all"}):
        return
    for stage in ("train", "sample"):
        wanted = scale["resources"][stage]["gpu"]
        if wanted > len(listed):
            problem = f"lists {len(listed)} GPUs, and resources.{stage}.gpu of the scale is {wanted}."
            raise InputError(f"{CONFIG}, key 'gpus'", problem, "Name more cards, or give the stage fewer.")


def check_shards(config: Mapping[str, Any], scale: Mapping[str, Any], scale_name: str) -> None:
    """Check that only sampling is shared among jobs, and only with an engine that can draw a share by itself.

    Args:
        config: The configuration.
        scale: Content of the scale.
        scale_name: Its name.

    Raises:
        InputError: Names the key.
    """
    for stage, resources in scale["resources"].items():
        where = f"scale '{scale_name}', key 'resources.{stage}.shards'"
        if "shards" in resources and stage != "sample":
            raise InputError(where, "only samples are shared among jobs.", "Leave the key out.")
        if resources.get("shards", 1) > 1 and config["engine"] != "vllm":
            problem = f"the engine '{config['engine']}' draws a benchmark from one stream, which jobs cannot share."
            raise InputError(where, problem, "Set it to 1, or choose the engine 'vllm'.")


def with_config(arguments: Sequence[str], setting: str) -> list[str]:
    """A command line of snakemake with one more value of its configuration, which takes the place of an earlier one.

    Args:
        arguments: Of the command.
        setting: ``name=value``.
    """
    name = f"{setting.partition('=')[0]}="
    kept = [each for each in arguments if not each.startswith(name)]
    flags = [place for place, each in enumerate(kept) if each in ("--config", "-C")]
    if not flags:
        return [*kept, "--config", setting]
    place = flags[-1] + 1
    return [*kept[:place], setting, *kept[place:]]
