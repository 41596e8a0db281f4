"""Configuration files checked against JSON schemas, with messages that name file, key and remedy."""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from rlvr.core.errors import InputError


def load_yaml(path: str | Path) -> Any:
    """Read YAML.

    Raises:
        InputError: If the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(Path(path).read_text())
    except FileNotFoundError as error:
        raise InputError(path, "no such file.", f"Known: {_siblings(Path(path))}.") from error
    except yaml.YAMLError as error:
        raise InputError(path, f"not valid YAML ({error}).", "Mend the line that the message names.") from error


def check_against(value: Any, schema_path: str | Path, where: object) -> None:
    """Check a configuration against a JSON schema (YAML file).

    Args:
        value: What was read.
        schema_path: Schema; draft 2020-12, ``additionalProperties: false`` at every level.
        where: File or row that the message shall name.

    Raises:
        InputError: For the first offence in reading order; names the key, what was found and what was expected.
    """
    validator = Draft202012Validator(load_yaml(schema_path))
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(step) for step in error.absolute_path])
    if errors:
        error = errors[0]
        key = ".".join(map(str, error.absolute_path)) or "(top level)"
        raise InputError(where, f"key '{key}': {error.message}.", _remedy(error))


def _remedy(error: ValidationError) -> str:
    """What to do about the most common offences, from the schema itself."""
    if error.validator == "additionalProperties":
        return f"Known keys: {', '.join(sorted(error.schema.get('properties', {})))}."
    description = error.schema.get("description")
    return f"Expected: {description}." if description else "See workflow/schemas."


def _siblings(path: Path) -> str:
    return ", ".join(sorted(entry.stem for entry in path.parent.glob(f"*{path.suffix}"))) or "none"
