"""Python values as JSON and back: plain data by value, everything else as a number that its owner knows.

Decoding builds plain data and nothing else: what a program returns cannot bring its own idea of equality along.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

SEQUENCES: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
}
MAPPINGS: dict[str, Any] = {"OrderedDict": OrderedDict, "Counter": Counter, "dict": dict}
PLAIN = (bool, int, float, complex, Fraction, Decimal, str, bytes, bytearray, list, tuple, dict, set, frozenset, range)
FURTHER = (object, deque, OrderedDict, Counter, datetime, date, time, timedelta)
HARMLESS = (abs, all, any, chr, divmod, len, max, min, ord, pow, repr, round, sorted, sum)
NAMED: dict[str, Any] = {named.__name__: named for named in (*PLAIN, *FURTHER, *HARMLESS)}  # types and functions
VIEWS: dict[str, Any] = {"dict_keys": type({}.keys()), "dict_values": type({}.values()), "dict_items": type({}.items())}
DAY, CLOCK = ("year", "month", "day"), ("hour", "minute", "second", "microsecond")
SMALL = 2**62  # integers below are written as they are; no limit on digits holds for the hexadecimal others


def encode(value: Any, refer: Callable[[Any], Any]) -> Any:
    """A value as something that JSON can hold.

    Args:
        value: Anything; of a subclass of a plain type only the plain content is kept.
        refer: From an object that is not plain data to what stands for it, itself JSON.

    Raises:
        RecursionError: If it is nested too deeply, or holds itself.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if -SMALL < value < SMALL else ["int", hex(value)]
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, complex):
        return ["complex", value.real.hex(), value.imag.hex()]
    if isinstance(value, bytes | bytearray):
        return ["bytes" if isinstance(value, bytes) else "bytearray", value.hex()]
    return _encode_number(value) or _encode_moment(value) or _encode_large(value, refer)


def _encode_number(value: Any) -> Any:
    if isinstance(value, Fraction):
        return ["Fraction", hex(value.numerator), hex(value.denominator)]
    if isinstance(value, Decimal):
        return ["Decimal", str(value)]
    if isinstance(value, range):
        return ["range", hex(value.start), hex(value.stop), hex(value.step)]
    return None


def _encode_moment(value: Any) -> Any:
    if isinstance(value, timedelta):
        return ["timedelta", value.days, value.seconds, value.microseconds]
    if isinstance(value, datetime):
        return ["datetime", _zone(value), *(getattr(value, name) for name in DAY + CLOCK)]
    if isinstance(value, time):
        return ["time", _zone(value), *(getattr(value, name) for name in CLOCK)]
    return ["date", *(getattr(value, name) for name in DAY)] if isinstance(value, date) else None


def _zone(value: datetime | time) -> list[int]:
    """Offset from universal time in days, seconds and microseconds; empty where none is stated."""
    offset = value.utcoffset()
    return [] if offset is None else [offset.days, offset.seconds, offset.microseconds]


def _encode_large(value: Any, refer: Callable[[Any], Any]) -> Any:
    for name, kind in MAPPINGS.items():
        if isinstance(value, kind):
            return [name, [[encode(key, refer), encode(entry, refer)] for key, entry in value.items()]]
    for name, build in {**SEQUENCES, **VIEWS}.items():
        if isinstance(value, build):
            return [name, [encode(entry, refer) for entry in value]]
    for name, named in NAMED.items():
        if value is named:
            return ["named", name]
    return ["object", refer(value)]


def decode(message: Any, resolve: Callable[[Any], Any]) -> Any:
    """The value that ``encode`` wrote.

    Args:
        message: Decoded JSON from whoever.
        resolve: From what stands for an object to that object, or to something in its place.

    Raises:
        Exception: Whatever building plain data from a malformed message raises.
    """
    if message is None or isinstance(message, bool | str | int):
        return message
    kind, *content = message
    if kind in SEQUENCES:
        return SEQUENCES[kind]([decode(entry, resolve) for entry in content[0]])
    if kind in MAPPINGS:
        return MAPPINGS[kind]({decode(key, resolve): decode(entry, resolve) for key, entry in content[0]})
    if kind in VIEWS:
        return _view(kind, [decode(entry, resolve) for entry in content[0]])
    return SCALARS[kind](*content) if kind in SCALARS else resolve(content[0])


def _view(kind: str, entries: list[Any]) -> Any:
    if kind == "dict_keys":
        return dict.fromkeys(entries).keys()
    return dict(entries).items() if kind == "dict_items" else dict(enumerate(entries)).values()


def _offset(zone: list[int]) -> timezone | None:
    return timezone(timedelta(*zone)) if zone else None


SCALARS: dict[str, Callable[..., Any]] = {
    "int": lambda digits: int(digits, 16),
    "float": float.fromhex,
    "complex": lambda real, imaginary: complex(float.fromhex(real), float.fromhex(imaginary)),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "Fraction": lambda above, below: Fraction(int(above, 16), int(below, 16)),
    "Decimal": Decimal,
    "range": lambda start, stop, step: range(int(start, 16), int(stop, 16), int(step, 16)),
    "timedelta": timedelta,
    "datetime": lambda zone, *fields: datetime(*fields).replace(tzinfo=_offset(zone)),
    "time": lambda zone, *fields: time(*fields).replace(tzinfo=_offset(zone)),
    "date": date,
    "named": NAMED.__getitem__,
}
