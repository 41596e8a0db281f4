"""Boards of marks: tents on a campsite, stars among blocked cells."""

from collections.abc import Iterator
from dataclasses import dataclass

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.puzzle import Cell, Puzzle

TREE, TENT, EMPTY = "X", "*", "."
BLOCKED, STAR = "X", "*"

BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
AROUND = (*BESIDE, (-1, -1), (-1, 1), (1, -1), (1, 1))


def around(cell: Cell, steps: tuple[Cell, ...]) -> Iterator[Cell]:
    """The cells one of ``steps`` away."""
    return ((cell[0] + down, cell[1] + right) for down, right in steps)


def cells_of(board: list[str], mark: str) -> set[Cell]:
    """Where a mark stands."""
    return {(i, j) for i, line in enumerate(board) for j, character in enumerate(line) if character == mark}


# Campsite


@dataclass(frozen=True)
class Campsite:
    """The board without tents, and how many tents each row, each column and the whole board must hold."""

    board: list[str]
    total: int
    rows: list[int]
    columns: list[int]


def load_campsite(puzzle: Puzzle) -> Campsite:
    """Board and numbers from the question: three lines of numbers, then the board."""
    total, rows, columns, *lines = puzzle.text("question").strip().split("\n")
    numbers = [[int(word) for word in line.partition(":")[2].split()] for line in (total, rows, columns)]
    site = Campsite(parse.board("\n".join(lines)), numbers[0][0], numbers[1], numbers[2])
    if len(site.board) != len(site.rows) or any(len(line) != len(site.columns) for line in site.board):
        raise ValueError("the board does not have the stated rows and columns")
    return site


def official_campsite(text: str, site: Campsite) -> bool | None:
    """The trees still stand, the numbers hold, no two tents share a side; other changes and pairings are not asked."""
    board = parse.board(text)
    if not board:
        return None
    if [len(line) for line in board] != [len(line) for line in site.board]:
        return False
    tents = cells_of(board, TENT)
    return (
        cells_of(site.board, TREE) <= cells_of(board, TREE)
        and [sum(i == row for i, _ in tents) for row in range(len(site.rows))] == site.rows
        and [sum(j == column for _, j in tents) for column in range(len(site.columns))] == site.columns
        and len(tents) == site.total
        and not any(other in tents for tent in tents for other in around(tent, BESIDE))
    )


def rules_campsite(text: str, site: Campsite) -> bool | None:
    """Check a campsite by the prompt's rules, which ask for more than the released verifier.

    Only tents are added, no two of them touch, even at a corner, and every tree has a tent of its own beside it.
    ``None`` where no board can be read.
    """
    verdict = official_campsite(text, site)
    if not verdict:
        return verdict
    board = parse.board(text)
    tents, trees = cells_of(board, TENT), cells_of(site.board, TREE)
    unchanged = ["".join(EMPTY if cell == TENT else cell for cell in line) for line in board] == site.board
    apart = not any(other in tents for tent in tents for other in around(tent, AROUND))
    return unchanged and apart and len(tents) == len(trees) and pair_up(trees, tents)


def pair_up(trees: set[Cell], tents: set[Cell]) -> bool:
    """Whether every tree can have a tent beside it that no other tree has: a matching by augmenting paths."""
    tree_of: dict[Cell, Cell] = {}

    def find_tent(tree: Cell, tried: set[Cell]) -> bool:
        for tent in around(tree, BESIDE):
            if tent in tents and tent not in tried:
                tried.add(tent)
                if tent not in tree_of or find_tent(tree_of[tent], tried):
                    tree_of[tent] = tree
                    return True
        return False

    return all(find_tent(tree, set()) for tree in trees)


# Star battle


@dataclass(frozen=True)
class Stars:
    """Stored solution and the board without stars, as lines of characters."""

    gold: list[str]
    board: list[str]


def load_stars(puzzle: Puzzle) -> Stars:
    """Stored solution and board of one size."""
    stars = Stars(parse.board(puzzle.answer_text), parse.board(puzzle.text("question")))
    if [len(line) for line in stars.gold] != [len(line) for line in stars.board] or not stars.gold:
        raise ValueError("the stored answer does not fit the board")
    return stars


def official_stars(text: str, stars: Stars) -> bool | None:
    """Equal to the stored solution, blanks aside."""
    board = parse.board(text)
    return board == stars.gold if board else None


def rules_stars(text: str, stars: Stars) -> bool | None:
    """One star in each row and column on empty cells, no two touch, no other cell changed."""
    board = parse.board(text)
    if not board:
        return None
    placed = cells_of(board, STAR)
    side = range(len(stars.board))
    return (
        ["".join(EMPTY if cell == STAR else cell for cell in line) for line in board] == stars.board
        and sorted(i for i, _ in placed) == list(side)
        and sorted(j for _, j in placed) == list(side)
        and not any(other in placed for star in placed for other in around(star, AROUND))
    )
