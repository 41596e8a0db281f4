"""Which cells of a Minesweeper grid must hold a mine: exact deduction from all numbers together."""

from collections import defaultdict

from rlvr.grading.enigmata.boards import AROUND, around
from rlvr.grading.enigmata.puzzle import Cell, Grid

UNKNOWN = -2
MAX_NODES = 20_000  # of the search for one cell; a grid that needs more is given up

Count = tuple[frozenset[Cell], int]  # exactly so many mines among these cells


def counts_of(grid: Grid) -> list[Count]:
    """For each number on the board, the unknown cells around it and how many of them are mines."""
    unknown = {(i, j) for i, row in enumerate(grid) for j, cell in enumerate(row) if cell == UNKNOWN}
    numbers = [(cell, (i, j)) for i, row in enumerate(grid) for j, cell in enumerate(row) if cell >= 0]
    said = [(frozenset(unknown.intersection(around(place, AROUND))), number) for number, place in numbers]
    return [(cells, number) for cells, number in dict.fromkeys(said) if cells or number]


def forced_mines(grid: Grid) -> frozenset[Cell] | None:
    """Cells that are mines in every assignment that meets all numbers.

    Returns:
        The cells, or ``None`` where no assignment exists or the search was given up.
    """
    search = _Search(counts_of(grid))
    known = search.propagate({}, search.counts)
    if known is None:
        return None
    try:
        return frozenset(cell for cell in search.touching if known.get(cell) or search.forces(cell, known))
    except OverflowError:
        return None


class _Search:
    """Propagation and backtracking over counts; ``nodes`` bounds the work for one cell."""

    def __init__(self, counts: list[Count]) -> None:
        self.counts = counts
        self.nodes = 0
        self.touching: dict[Cell, list[Count]] = defaultdict(list)
        for count in counts:
            for cell in count[0]:
                self.touching[cell].append(count)

    def forces(self, cell: Cell, known: dict[Cell, bool]) -> bool:
        """Whether a cell that propagation left open must be a mine."""
        self.nodes = 0
        return cell not in known and not self._can_be(cell, False, known, self._around(cell, known))

    def _around(self, cell: Cell, known: dict[Cell, bool]) -> list[Count]:
        """The counts that open cells connect with a cell; what stands apart cannot force it."""
        found: dict[Count, None] = {}
        border, seen = [cell], {cell}
        while border:
            for count in self.touching[border.pop()]:
                found[count] = None
                new = [other for other in count[0] if other not in seen and other not in known]
                seen.update(new)
                border += new
        return list(found)

    def _can_be(self, cell: Cell, mine: bool, known: dict[Cell, bool], counts: list[Count]) -> bool:
        """Whether some assignment of the cells in ``counts`` that extends ``known`` has ``mine`` there.

        Raises:
            OverflowError: After ``MAX_NODES`` nodes.
        """
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise OverflowError("too many nodes")
        extended = self.propagate({**known, cell: mine}, self.touching[cell])
        if extended is None:
            return False
        open_cells = [[other for other in cells if other not in extended] for cells, _ in counts]
        narrowest = min((cells for cells in open_cells if cells), key=len, default=None)
        if narrowest is None:
            return True
        return any(self._can_be(narrowest[0], value, extended, counts) for value in (True, False))

    def propagate(self, known: dict[Cell, bool], changed: list[Count]) -> dict[Cell, bool] | None:
        """Add what single counts force until nothing changes; ``None`` where one cannot be met."""
        known, waiting = dict(known), list(changed)
        while waiting:
            cells, number = waiting.pop()
            unknown = [cell for cell in cells if cell not in known]
            missing = number - sum(known.get(cell, False) for cell in cells)
            if not 0 <= missing <= len(unknown):
                return None
            if unknown and missing in (0, len(unknown)):
                for cell in unknown:
                    known[cell] = missing > 0
                waiting += [count for cell in unknown for count in self.touching[cell]]
        return known
