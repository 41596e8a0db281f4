"""Just enough chess to tell whether a move mates: positions, legal moves, algebraic notation.

A square is 0 (a1) to 63 (h8). White pieces are capitals, as in Forsyth-Edwards notation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

FILES = "abcdefgh"
KNIGHT = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
STRAIGHT = ((1, 0), (-1, 0), (0, 1), (0, -1))
DIAGONAL = ((1, 1), (1, -1), (-1, 1), (-1, -1))
RAYS = {"B": DIAGONAL, "R": STRAIGHT, "Q": STRAIGHT + DIAGONAL}
START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"

MOVE = re.compile(r"([KQRBN]?)([a-h]?)([1-8]?)x?([a-h][1-8])(?:=?([QRBN]))?[+#!?]{0,4}")
CASTLE = re.compile(r"[O0]-[O0](-[O0])?[+#!?]{0,4}")
NUMBER = re.compile(r"[0-9]{1,3}\.+")
MAX_PLIES = 1_000


@dataclass(frozen=True)
class Move:
    """From, to, and what a pawn becomes."""

    start: int
    end: int
    promotion: str = ""


@dataclass(frozen=True)
class Position:
    """Pieces by square (a blank where none stands), side to move, castling rights, square to capture in passing."""

    pieces: tuple[str, ...]
    white: bool
    castling: str
    passing: int | None

    def own(self, square: int) -> bool:
        """Whether the side to move has a piece there."""
        piece = self.pieces[square]
        return piece != " " and piece.isupper() == self.white


def square(name: str) -> int:
    """Number of a square such as e4."""
    return FILES.index(name[0]) + 8 * (int(name[1]) - 1)


def read_position(question: str) -> Position | None:
    """The position of a question: Forsyth-Edwards notation, or the moves of a game from the start."""
    if question.count("/") >= 7:
        return read_fen(question.strip())
    position = read_fen(START)
    words = NUMBER.sub(" ", question).split()
    for word in words[:MAX_PLIES]:
        move = find_move(position, word) if position else None
        if position is None or move is None:
            return None
        position = play(position, move)
    return position


def read_fen(text: str) -> Position | None:
    """A position in Forsyth-Edwards notation, or ``None``."""
    fields = text.split()
    rows = fields[0].split("/") if len(fields) >= 4 else []
    spread = ["".join(" " * int(mark) if mark in "12345678" else mark for mark in row) for row in rows]
    marks = "".join(reversed(spread))
    if len(rows) != 8 or any(len(row) != 8 for row in spread) or not set(marks) <= set("KQRBNPkqrbnp "):
        return None
    if marks.count("K") != 1 or marks.count("k") != 1:
        return None
    passing = square(fields[3]) if re.fullmatch("[a-h][36]", fields[3]) else None
    return Position(tuple(marks), fields[1] == "w", fields[2], passing)


def mates(position: Position, notation: str) -> bool:
    """Whether a move in algebraic notation is legal and mates."""
    move = find_move(position, notation)
    if move is None:
        return False
    after = play(position, move)
    return in_check(after, after.white) and next(legal_moves(after), None) is None


def find_move(position: Position, notation: str) -> Move | None:
    """The one legal move that a notation names, or ``None``."""
    if castle := CASTLE.fullmatch(notation):
        king = position.pieces.index("K" if position.white else "k")
        wanted = [Move(king, king - 2 if castle[1] else king + 2)]
        found = [move for move in legal_moves(position) if move in wanted]
        return found[0] if found else None
    named = MOVE.fullmatch(notation)
    if named is None:
        return None
    kind, file, row, end, promotion = named.groups(default="")
    found = [
        move
        for move in legal_moves(position)
        if position.pieces[move.start].upper() == (kind or "P")
        and move.end == square(end)
        and file in ("", FILES[move.start % 8])
        and row in ("", str(move.start // 8 + 1))
        and move.promotion.upper() == promotion
    ]
    return found[0] if len(found) == 1 else None


def legal_moves(position: Position) -> Iterator[Move]:
    """Moves that do not leave the own king in check."""
    for move in [*_pseudo_moves(position), *_castles(position)]:
        if not in_check(play(position, move), position.white):
            yield move


def play(position: Position, move: Move) -> Position:
    """The position after a move."""
    pieces = list(position.pieces)
    piece = pieces[move.start]
    pieces[move.end], pieces[move.start] = move.promotion or piece, " "
    if piece in "Pp" and move.end == position.passing:
        pieces[move.end + (-8 if position.white else 8)] = " "
    if piece in "Kk" and abs(move.end - move.start) == 2:
        corner, beside = (move.end + 1, move.end - 1) if move.end > move.start else (move.end - 2, move.end + 1)
        pieces[beside], pieces[corner] = pieces[corner], " "
    lost = {4: "KQ", 0: "Q", 7: "K", 60: "kq", 56: "q", 63: "k"}
    gone = lost.get(move.start, "") + lost.get(move.end, "")
    double = piece in "Pp" and abs(move.end - move.start) == 16
    return replace(
        position,
        pieces=tuple(pieces),
        white=not position.white,
        castling="".join(right for right in position.castling if right not in gone),
        passing=(move.start + move.end) // 2 if double else None,
    )


def in_check(position: Position, white: bool) -> bool:
    """Whether a side's king is attacked."""
    king = position.pieces.index("K" if white else "k")
    return attacked(position, king, by_white=not white)


def attacked(position: Position, target: int, by_white: bool) -> bool:
    """Whether a side attacks a square."""
    side = replace(position, white=by_white, passing=None)
    return any(move.end == target for move in _pseudo_moves(side, capture=target))


def _pseudo_moves(position: Position, capture: int | None = None) -> Iterator[Move]:
    """Moves as the pieces go, own king's safety aside; ``capture`` is a square that pawns attack though it is empty."""
    for start, piece in enumerate(position.pieces):
        if not position.own(start):
            continue
        kind = piece.upper()
        if kind == "P":
            yield from _pawn_moves(position, start, capture)
        elif kind in RAYS:
            yield from (Move(start, end) for step in RAYS[kind] for end in _ray(position, start, step))
        else:
            steps = KNIGHT if kind == "N" else STRAIGHT + DIAGONAL
            ends = (_step(start, *step) for step in steps)
            yield from (Move(start, end) for end in ends if end is not None and not position.own(end))


def _step(start: int, right: int, up: int) -> int | None:
    file, row = start % 8 + right, start // 8 + up
    return file + 8 * row if 0 <= file < 8 and 0 <= row < 8 else None


def _ray(position: Position, start: int, step: tuple[int, int]) -> Iterator[int]:
    end = _step(start, *step)
    while end is not None and not position.own(end):
        yield end
        end = _step(end, *step) if position.pieces[end] == " " else None


def _pawn_moves(position: Position, start: int, capture: int | None) -> Iterator[Move]:
    up, home = (1, 1) if position.white else (-1, 6)
    ends = list[int]()
    ahead = _step(start, 0, up)
    if ahead is not None and position.pieces[ahead] == " ":
        ends.append(ahead)
        twice = ahead + 8 * up
        if start // 8 == home and position.pieces[twice] == " ":
            ends.append(twice)
    ends = [] if capture is not None else ends  # a step ahead attacks nothing
    for right in (-1, 1):
        end = _step(start, right, up)
        if (
            end is not None
            and not position.own(end)
            and (position.pieces[end] != " " or end in (position.passing, capture))
        ):
            ends.append(end)
    for end in ends:
        pieces = "QRBN" if end // 8 in (0, 7) else ""
        yield from (Move(start, end, new if position.white else new.lower()) for new in pieces or [""])


def _castles(position: Position) -> Iterator[Move]:
    home = 4 if position.white else 60
    for right, path, crossed in (("k", (1, 2), (0, 1, 2)), ("q", (-1, -2, -3), (0, -1, -2))):
        right = right.upper() if position.white else right
        rook = home + (3 if right in "Kk" else -4)
        ready = right in position.castling and position.pieces[home] == ("K" if position.white else "k")
        if ready and position.pieces[rook] == ("R" if position.white else "r"):
            empty = all(position.pieces[home + step] == " " for step in path)
            if empty and not any(attacked(position, home + step, not position.white) for step in crossed):
                yield Move(home, home + (2 if right in "Kk" else -2))
