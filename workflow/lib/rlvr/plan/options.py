"""Options as frozen dataclasses: the JSON schema of what a user writes, and the object that code reads."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any, TypeVar

from jsonschema import Draft202012Validator

from rlvr.core.errors import InputError

T = TypeVar("T")
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def option(meaning: str, *, default: Any = MISSING, **limits: Any) -> Any:
    """A field of an options dataclass.

    Args:
        meaning: One line for a user.
        default: Makes the option optional.
        limits: Keywords of JSON schema for its value, e.g. ``minimum=1``.
    """
    return field(default=default, metadata={"meaning": meaning, "limits": limits})


def schema_of(options: type) -> dict[str, Any]:
    """The JSON schema of an options dataclass: its fields, no other keys, those without a default required."""
    hints = typing.get_type_hints(options)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [each.name for each in fields(options) if each.default is MISSING],
        "properties": {each.name: _field_schema(each, hints[each.name]) for each in fields(options)},
    }


def build(options: type[T], values: Mapping[str, Any], where: object) -> T:
    """Make an options object of what a user wrote.

    Args:
        options: Frozen dataclass; its fields are texts, numbers, other such dataclasses, tuples of these, or ``None``.
        values: What was written.
        where: What a message shall name.

    Raises:
        InputError: Names ``where``, the key, and what is wrong: unknown, missing, of another type, outside its limits.
    """
    errors = Draft202012Validator(schema_of(options)).iter_errors(values)
    for error in sorted(errors, key=lambda error: [str(step) for step in error.absolute_path]):
        key = ".".join(map(str, ("plot", *error.absolute_path)))
        known = ", ".join(error.schema.get("properties", {}))
        remedy = f"Known keys: {known}." if known else f"Expected: {error.schema.get('description', 'another value')}."
        raise InputError(where, f"key '{key}': {error.message}.", remedy)
    return _made(options, values)


def _field_schema(each: Field[Any], hint: Any) -> dict[str, Any]:
    own, limits = _type_schema(hint), dict(each.metadata.get("limits", {}))
    if "items" in limits and "items" in own:  # narrows the type of an entry, and does not replace it
        limits["items"] = {**own["items"], **limits["items"]}
    return {**own, **limits, "description": each.metadata.get("meaning", "")}


def _type_schema(hint: Any) -> dict[str, Any]:
    if is_dataclass(hint) and isinstance(hint, type):
        return schema_of(hint)
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "minItems": 1, "items": _type_schema(typing.get_args(hint)[0])}
    if isinstance(hint, types.UnionType):
        return {"anyOf": [_type_schema(part) for part in typing.get_args(hint) if part is not types.NoneType]}
    return {"type": PLAIN[hint], "minLength": 1} if hint is str else {"type": PLAIN[hint]}


def _made(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return hint(**{name: _made(hints[name], entry) for name, entry in value.items()})
    if typing.get_origin(hint) is tuple:
        return tuple(_made(typing.get_args(hint)[0], entry) for entry in value)
    return value
