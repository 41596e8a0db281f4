"""Noughts and crosses: the best move on a board of 3x3, by looking at every game."""

from dataclasses import dataclass
from functools import cache

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.puzzle import Puzzle

LINES = (
    (0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6),
)  # fmt: skip
MARKS = ("X", "O", "")
Position = tuple[str, ...]  # nine marks, row by row


@dataclass(frozen=True)
class Turn:
    """A position and whose move it is."""

    position: Position
    player: str


def load_turn(puzzle: Puzzle) -> Turn:
    """A board of 3x3 that is not yet decided, and the player to move."""
    board, player = puzzle.value("current_board"), puzzle.value("active_player")
    rows = isinstance(board, list) and all(isinstance(row, list) and len(row) == 3 for row in board)
    if not rows or len(board) != 3 or player not in ("X", "O"):
        raise ValueError("no board of 3x3 with a player to move")
    position = tuple(cell for row in board for cell in row)
    if not set(position) <= set(MARKS) or "" not in position or winner(position):
        raise ValueError("the game is over, or the board holds other marks")
    return Turn(position, player)


def official_turn(text: str, turn: Turn) -> bool | None:
    """Check a move by the released rule: it wins at once; where none does, it stops the other player from winning next.

    Where neither is needed, any best move is right. ``None`` for text that holds no board.
    """
    position = read_quoted(text)
    if position is None:
        return None
    if position not in moves(turn.position, turn.player):
        return False
    winning = [after for after in moves(turn.position, turn.player) if winner(after)]
    threats = [where for where, after in options(turn.position, other(turn.player)) if winner(after)]
    if winning:
        return position in winning
    if threats:
        return any(position[where] for where in threats)
    return is_best(position, turn)


def rules_turn(text: str, turn: Turn) -> bool | None:
    """Check that a board has one own mark more, which keeps the best result that the position allows."""
    position = read_quoted(text) or _read_listed(text)
    if position is None:
        return None
    return position in moves(turn.position, turn.player) and is_best(position, turn)


def read_quoted(text: str) -> Position | None:
    """Three lines of three marks, each in double quotation marks, separated by blanks."""
    rows = [line.split() for line in text.strip().splitlines()]
    quoted = all(len(cell) >= 2 and cell[0] == cell[-1] == '"' for row in rows for cell in row)
    return _position([[cell[1:-1] for cell in row] for row in rows]) if quoted else None


def _read_listed(text: str) -> Position | None:
    found = parse.literal(text)
    return _position(found) if isinstance(found, list) and all(isinstance(row, list) for row in found) else None


def _position(rows: list[list[str]]) -> Position | None:
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        return None
    cells = tuple(cell for row in rows for cell in row)
    return cells if all(cell in MARKS for cell in cells) else None


def other(player: str) -> str:
    """The opponent."""
    return "O" if player == "X" else "X"


def winner(position: Position) -> str:
    """Who has three in a line, or an empty text."""
    return next((position[a] for a, b, c in LINES if position[a] and position[a] == position[b] == position[c]), "")


def options(position: Position, player: str) -> list[tuple[int, Position]]:
    """Every empty cell, and the position after the player's move there."""
    return [(where, (*position[:where], player, *position[where + 1 :])) for where in range(9) if not position[where]]


def moves(position: Position, player: str) -> list[Position]:
    """The positions that the player can reach in one move."""
    return [after for _, after in options(position, player)]


def is_best(position: Position, turn: Turn) -> bool:
    """Whether no move has a better result than the one that led to ``position``."""
    results = {after: -outcome(after, other(turn.player)) for after in moves(turn.position, turn.player)}
    return results[position] == max(results.values())


@cache
def outcome(position: Position, player: str) -> int:
    """Result for the player to move when both play perfectly: 1 won, 0 drawn, -1 lost."""
    if won := winner(position):
        return 1 if won == player else -1
    return max((-outcome(after, other(player)) for after in moves(position, player)), default=0)


def write_position(board: list[list[str]]) -> str:
    """A board as the prompt asks for it."""
    return "\n".join(" ".join(f'"{cell}"' for cell in row) for row in board)
