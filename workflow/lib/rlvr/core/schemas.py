"""Configuration files checked against JSON schemas, with messages that name file, key and remedy."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from rlvr.core.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class _UniqueKeys(yaml.SafeLoader):
    """YAML's safe loader that refuses a key that stands twice; plain YAML lets the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' appears twice", node.start_mark)
        return super().construct_mapping(node, deep)


MERGE = "tag:yaml.org,2002:merge"


def load_yaml(path: str | Path) -> Any:
    """Read YAML (UTF-8, with or without a byte order mark).

    Raises:
        InputError: If the file is missing, is not YAML, or has a key twice.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8-sig"), Loader=_UniqueKeys)
    except FileNotFoundError as error:
        raise InputError(path, "no such file.", f"Known: {_siblings(Path(path))}.") from error
    except yaml.YAMLError as error:
        raise InputError(path, f"not valid YAML ({error}).", "Correct the line that the message names.") from error


def check_against(value: Any, schema: str | Path | Mapping[str, Any], where: object) -> None:
    """Check a configuration against a JSON schema.

    Args:
        value: What was read.
        schema: Schema or its YAML file; draft 2020-12, ``additionalProperties: false`` at every level.
        where: File or row that the message shall name.

    Raises:
        InputError: For the first offence in reading order; names the key, what was found and what was expected.
    """
    validator = Draft202012Validator(schema if isinstance(schema, Mapping) else load_yaml(schema))
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(step) for step in error.absolute_path])
    if errors:
        error = errors[0]
        key = ".".join(map(str, error.absolute_path)) or "(top level)"
        raise InputError(where, f"key '{key}': {error.message}.", _remedy(error))


def check_name(kind: str, name: str, known: Sequence[str]) -> None:
    """Check that a name is one of those that are there, and no path.

    Args:
        kind: What it is a name of, e.g. ``study``.
        name: As configured.
        known: Every name that is there.

    Raises:
        InputError: Names the kind, the name and the known names.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or name not in known:
        raise InputError("config.yaml", f"{kind} '{name}' is not there.", f"Known: {', '.join(known) or 'none'}.")


def _remedy(error: ValidationError) -> str:
    """The remedy that a message names for a schema's violation, from the schema itself: known keys, or the meaning."""
    if error.validator == "additionalProperties":
        return f"Known keys: {', '.join(sorted(error.schema.get('properties', {})))}."
    description = error.schema.get("description")
    return f"Expected: {description}." if description else "See workflow/schemas."


def _siblings(path: Path) -> str:
    return ", ".join(sorted(entry.stem for entry in path.parent.glob(f"*{path.suffix}"))) or "none"
