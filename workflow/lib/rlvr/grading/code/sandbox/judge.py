"""The process of the judge: it runs the tests; the program, in a process of its own, only ever sees arguments.

A name that a test uses is the program's, if nothing nearer defines it: the tests' set-up, the imports of the reference
program, and Python's own functions unless the reference program redefines them. So ``set(f(x)) == {1}`` compares by our
``set`` and our ``==`` what the program returned, whatever the program did to its own.
"""

import builtins
import socket
from collections.abc import Callable, Iterator
from typing import Any

from rlvr.grading.code.sandbox.channel import ChannelError, receive, send
from rlvr.grading.code.sandbox.values import decode, encode


class ProgramError(TypeError):
    """The program raised, or gave something that is not a value; ``list`` reads this kind of error as "no length"."""


class Channel:
    """Requests to the program, one at a time."""

    def __init__(self, program: socket.socket) -> None:
        self._program = program

    def ask(self, operation: str, *operands: Any) -> Any:
        """Have the program's process carry out one of ``program.OPERATIONS``.

        Raises:
            ProgramError: If that raised there.
            ChannelError: If the process is gone.
            TimeoutError: If the time is over.
        """
        return self.hear([operation, *(encode(operand, _refer) for operand in operands)])

    def name(self, name: str) -> Any:
        """The object that the program under test binds to a name; raises what the program raises."""
        return self.hear(["name", name])

    def hear(self, request: list[Any] | None = None) -> Any:
        """Send a request, if any, and decode the reply."""
        if request is not None:
            send(self._program, request)
        reply = receive(self._program)
        if not isinstance(reply, list) or len(reply) != 1:
            raise ProgramError("the program raised an error")
        return decode(reply[0], lambda number: Remote(self, number))


class Remote:
    """An object of the program that is not plain data: a function, a class, an instance, a generator."""

    __slots__ = ("_channel", "_number")
    _channel: Channel
    _number: Any

    def __init__(self, channel: Channel, number: Any) -> None:
        object.__setattr__(self, "_channel", channel)
        object.__setattr__(self, "_number", number)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call an object of the program with plain arguments; returns what it returns, raises what it raises."""
        return self._channel.ask("call", self, arguments, options)

    def __getattr__(self, name: str) -> Any:
        return self._channel.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._channel.ask("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._channel.ask("item", self, key)

    def __iter__(self) -> Iterator[Any]:
        return iter(_exactly(list, self._channel.ask("list", self)))

    def __len__(self) -> int:
        return int(_exactly(int, self._channel.ask("length", self)))

    def __contains__(self, value: object) -> bool:
        return bool(_exactly(bool, self._channel.ask("contains", self, value)))

    def __bool__(self) -> bool:
        return bool(_exactly(bool, self._channel.ask("truth", self)))

    def __str__(self) -> str:
        return str(_exactly(str, self._channel.ask("text", self)))

    def __repr__(self) -> str:
        return str(_exactly(str, self._channel.ask("representation", self)))

    def __eq__(self, other: object) -> bool:
        """Two objects of the program may be equal as it says; none of them equals a value that the test wrote."""
        return isinstance(other, Remote) and _exactly(bool, self._channel.ask("equal", self, other))

    def __hash__(self) -> int:
        return 0  # equal objects need equal hashes, and which are equal only the program knows


def _exactly(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ProgramError(f"the program gave no {kind.__name__}")
    return value


def _refer(value: Any) -> Any:
    if not isinstance(value, Remote):
        raise ProgramError("a test passes what is not plain data")
    return value._number


class Scope(dict[str, Any]):
    """The tests' global names; see the module's docstring."""

    def __init__(self, find: Callable[[str], Any], redefined: frozenset[str]) -> None:
        super().__init__(__name__="tests", __builtins__=builtins.__dict__)
        self._find = find
        self._redefined = redefined

    def __missing__(self, name: str) -> Any:
        if name in builtins.__dict__ and name not in self._redefined:
            raise KeyError(name)
        return self._find(name)


def run_tests(
    program: socket.socket, imports: list[str], redefined: list[str], setup: str, tests: list[str]
) -> tuple[str, int]:
    """Judge the program at the other end.

    Args:
        program: To the process of the program, with a time limit set.
        imports: Import statements of the reference program.
        redefined: Names that the reference program defines.
        setup: Code that runs after the program and before the tests.
        tests: Statements; one that raises fails.

    Returns:
        What became of it, ``passed``, ``failed``, ``not python``, ``timed out`` or ``gone``, and how many tests passed
        before that.
    """
    passed = 0
    channel = Channel(program)
    try:
        if receive(program) != "python":
            return "not python", 0
        channel.hear()
        scope = Scope(channel.name, frozenset(redefined))
        for statement in [*imports, setup]:
            exec(statement, scope)
        for test in tests:
            exec(test, scope)
            passed += 1
    except TimeoutError:
        return "timed out", passed
    except ChannelError:
        return "gone", passed
    except BaseException:
        return "failed", passed
    return "passed", passed
