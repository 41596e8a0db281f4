"""Messages between processes that do not trust each other: JSON texts of a declared length, at most a few megabytes."""

import json
import socket
from typing import Any

HEADER_BYTES = 4
LONGEST_MESSAGE = 8 * 2**20  # ASSUME: a value that a test compares takes some hundred bytes


class ChannelError(Exception):
    """Raised when the other side of a channel is gone or sends what is not a message."""


def send(wire: socket.socket, message: Any) -> None:
    """Send one message.

    Args:
        wire: A stream socket.
        message: What JSON can hold.

    Raises:
        ChannelError: If it is too long, or the other side is gone.
    """
    content = json.dumps(message, check_circular=False).encode()
    if len(content) > LONGEST_MESSAGE:
        raise ChannelError("too long a message")
    try:
        wire.sendall(len(content).to_bytes(HEADER_BYTES, "big") + content)
    except OSError as error:
        raise ChannelError("the other side is gone") from error


def receive(wire: socket.socket) -> Any:
    """Receive one message and not a byte of the next.

    Raises:
        ChannelError: If there is none, or it is too long or malformed.
        TimeoutError: If the socket's time runs out.
    """
    length = int.from_bytes(_read(wire, HEADER_BYTES), "big")
    if length > LONGEST_MESSAGE:
        raise ChannelError("too long a message")
    try:
        return json.loads(_read(wire, length))
    except (ValueError, RecursionError) as error:
        raise ChannelError("a malformed message") from error


def _read(wire: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        try:
            part = wire.recv(min(count, 2**16))
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelError("the other side is gone") from error
        if not part:
            raise ChannelError("the other side is gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
