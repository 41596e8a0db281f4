"""Python values as JSON and back: plain data by value, everything else as a number that its owner knows.

Decoding builds plain data and nothing else: what a program returns cannot bring its own idea of equality along.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any

SEQUENCES: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
}
MAPPINGS: dict[str, Any] = {"OrderedDict": OrderedDict, "Counter": Counter, "dict": dict}
TYPES: dict[str, Any] = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object)
}
SMALL = 2**62  # integers below are written as they are; no limit on digits holds for the hexadecimal others


def encode(value: Any, refer: Callable[[Any], Any]) -> Any:
    """A value as something that JSON can hold.

    Args:
        value: Anything; of a subclass of a plain type only the plain content is kept.
        refer: From an object that is no plain data to what stands for it, itself JSON.

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
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    return _encode_large(value, refer)


def _encode_large(value: Any, refer: Callable[[Any], Any]) -> Any:
    for name, kind in MAPPINGS.items():
        if isinstance(value, kind):
            return [name, [[encode(key, refer), encode(entry, refer)] for key, entry in value.items()]]
    for name, build in SEQUENCES.items():
        if isinstance(value, build):
            return [name, [encode(entry, refer) for entry in value]]
    for name, kind in TYPES.items():
        if value is kind:
            return ["type", name]
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
    return SCALARS[kind](*content) if kind in SCALARS else resolve(content[0])


SCALARS: dict[str, Callable[..., Any]] = {
    "int": lambda digits: int(digits, 16),
    "float": float.fromhex,
    "complex": lambda real, imaginary: complex(float.fromhex(real), float.fromhex(imaginary)),
    "bytes": bytes.fromhex,
    "type": TYPES.__getitem__,
}
