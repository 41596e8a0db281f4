"""The process of the program: it runs what the model wrote, then answers the judge's requests about it.

Nothing here is trusted once the program runs in it: whatever it answers is data for the judge.
"""

import operator
import socket
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from types import ModuleType
from typing import Any

from rlvr.grading.code.sandbox.channel import ChannelError, receive, send
from rlvr.grading.code.sandbox.values import decode, encode

NAME = "program"  # not __main__: what stands under that guard would wait for input
LONGEST_ITERATION = 1_000_000  # of a generator that a test turns into a list

OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda function, arguments, options: function(*arguments, **options),
    "get": getattr,
    "set": setattr,
    "item": operator.getitem,
    "equal": operator.eq,
    "contains": operator.contains,
    "length": len,
    "list": lambda iterable: list(islice(iterable, LONGEST_ITERATION)),
    "truth": bool,
    "text": str,
    "representation": repr,
}


def serve_program(text: str, judge: socket.socket) -> None:
    """Run a program and answer until the judge has heard enough. First of all say whether it is Python at all."""
    module = ModuleType(NAME)
    sys.modules[NAME] = module
    objects: list[Any] = []

    def refer(value: Any) -> int:
        objects.append(value)
        return len(objects) - 1

    def answer(operation: str, *operands: Any) -> Any:
        if operation == "name":
            return module.__dict__[operands[0]]
        return OPERATIONS[operation](*(decode(operand, objects.__getitem__) for operand in operands))

    try:
        code = compile(text, NAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        send(judge, "not python")
        return
    send(judge, "python")
    _reply(judge, lambda: exec(code, module.__dict__), refer)
    while True:
        try:
            request = receive(judge)
        except ChannelError:
            return
        _reply(judge, partial(answer, *request), refer)


def _reply(judge: socket.socket, work: Callable[[], Any], refer: Callable[[Any], Any]) -> None:
    """Send what came of a piece of work: ``[value]``, or nothing inside if it raised, however it raised."""
    try:
        message = [encode(work(), refer)]
    except BaseException:
        message = []
    try:
        send(judge, message)
    except (ChannelError, ValueError, MemoryError, RecursionError):
        send(judge, [])
