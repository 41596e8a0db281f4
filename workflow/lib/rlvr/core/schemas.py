"""Configuration files checked against JSON schemas, with messages that name file, key and remedy."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from rlvr.core.errors import InputError
from rlvr.core.escaping import visible

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
CONFIG = "config.yaml"  # how messages call the configuration, command line included
SHOWN = 20  # characters of an odd number in a message
LARGEST = 2**53  # above it, a whole number is no longer the float that it is stored as


class _UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's safe loader that refuses a key that stands twice; plain YAML lets the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = []
        for each in (key for key, _ in node.value if key.tag != MERGE):
            if (key := self.construct_object(each, deep=True)) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' appears twice", each.start_mark)
            seen.append(key)
        return super().construct_mapping(node, deep)


MERGE = "tag:yaml.org,2002:merge"


def load_yaml(path: str | Path) -> Any:
    """Read YAML (UTF-8, with or without a byte order mark).

    Raises:
        InputError: If the file is missing, is not UTF-8, is not YAML, or has a key twice.
    """
    try:
        return parse_yaml(read_text(path))
    except yaml.YAMLError as error:
        raise InputError(path, f"not valid YAML ({error}).", "Correct the line that the message names.") from error


def read_text(path: str | Path) -> str:
    """The text of a file (UTF-8, with or without a byte order mark).

    Raises:
        InputError: If the file is missing or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, "no such file.", f"Known: {_siblings(Path(path))}.") from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 ({error}).", "Save it as UTF-8.") from error


def parse_yaml(text: str) -> Any:
    """YAML as values; a key that stands twice is an error.

    Raises:
        yaml.YAMLError: If it is not YAML, or has a key twice.
    """
    return yaml.load(text, Loader=_UniqueKeys)


def check_against(value: Any, schema: str | Path | Mapping[str, Any], where: object) -> None:
    """Check a configuration against a JSON schema.

    Beyond the schema, numbers must be finite and of a size that a float holds exactly, names must be printable, and
    texts must be free of control characters and direction marks.

    Args:
        value: What was read.
        schema: Schema or its YAML file; draft 2020-12, ``additionalProperties: false`` at every level.
        where: File or row that the message shall name.

    Raises:
        InputError: For the first offence in reading order; names the key, what was found and what was expected.
    """
    for path, problem, remedy in _odd_values(value, ()):
        raise InputError(where, f"key '{'.'.join(map(str, path))}': {problem}", remedy)
    validator = _Validator(schema if isinstance(schema, Mapping) else _schema_of(str(schema)))
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(step) for step in error.absolute_path])
    if errors:
        error = errors[0]
        key = ".".join(map(str, error.absolute_path)) or "(top level)"
        raise InputError(where, f"key '{key}': {error.message}.", _remedy(error))


def _whole_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``pattern`` as JSON schema means it: ``$`` is the end, not the place before a last line break."""
    if validator.is_type(instance, "string") and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"pattern": _whole_pattern})


@cache
def _schema_of(path: str) -> Any:
    return load_yaml(path)


def _odd_values(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """Where a value holds an endless or too large number, an unprintable key, or a text with an invisible character."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if not str(key).isprintable() or isinstance(key, bool) or key is None:
                yield path, f"holds the name {json.dumps(key)}.", "Names are printable texts or whole numbers."
            yield from _odd_values(entry, (*path, key))
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            yield from _odd_values(entry, (*path, place))
    elif isinstance(value, str) and (odd := sorted(set(value).difference(visible(value)))):
        problem = f"the text {value[:SHOWN]!r} holds the invisible character {odd[0]!r}."
        yield path, problem, "Remove it: control characters and direction marks change what a reader sees."
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value} is not a finite number.", "Write a finite number."
    elif isinstance(value, int | float) and abs(value) > LARGEST:
        yield path, f"{str(value)[:SHOWN]} is too large a number.", f"Numbers are at most {LARGEST}."


def check_name(kind: str, name: str, known: Sequence[str], where: object = CONFIG) -> None:
    """Check that a name is one of those that are there, and no path.

    Args:
        kind: What it is a name of, e.g. ``study``.
        name: As configured.
        known: Every name that is there.
        where: File or row that the message shall name.

    Raises:
        InputError: Names the kind, the name and the known names.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or name not in known:
        raise InputError(where, f"{kind} '{name}' is not there.", f"Known: {', '.join(known) or 'none'}.")


def _remedy(error: ValidationError) -> str:
    """The remedy that a message names for a schema's violation, from the schema itself: known keys, or the meaning."""
    if error.validator == "additionalProperties":
        return f"Known keys: {', '.join(sorted(error.schema.get('properties', {})))}."
    if isinstance(error.instance, str) and error.validator == "type" and NUMBER_AS_TEXT.fullmatch(error.instance):
        return "YAML reads this as text: write it without quotes, and with a point and a sign, such as 1.0e-2."
    description = error.schema.get("description")
    return f"Expected: {description}." if description else "See workflow/schemas."


NUMBER_AS_TEXT = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")


def _siblings(path: Path) -> str:
    return ", ".join(sorted(entry.stem for entry in path.parent.glob(f"*{path.suffix}"))) or "none"
