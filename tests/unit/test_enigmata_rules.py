"""Enigmata's rules: symmetries keep the verdict, damage of a unique puzzle fails, solvers agree with slow versions."""

import json
from collections import deque
from fractions import Fraction
from itertools import pairwise, permutations, product
from typing import Any

import pytest
from enigmata_puzzles import SAMPLES, SUDOKU
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.enigmata import arithmetic, boards, chess, mines, moves, noughts, sequences
from rlvr.grading.enigmata.grids import write_grid
from rlvr.grading.enigmata.parity import MODES
from rlvr.grading.enigmata.verify import judge


def is_right(body: str, task: str, mode: str = "rules", gold: Any = None, **record: Any) -> bool:
    """Verdict on a body, with the sample's puzzle or one given here."""
    sample = SAMPLES[task]
    answer = sample.answer if gold is None else gold if isinstance(gold, str) else json.dumps(gold)
    meta = json.dumps(record) if record else sample.meta
    text = body if "<begin_board>" in body else f"```\n{body}\n```"
    return judge(text, answer, meta, task, mode).verdict == "correct"


BOTH = pytest.mark.parametrize("mode", MODES)
GRID_TASKS = {"sudoku": SUDOKU} | {
    task: SAMPLES[task].gold for task in ("sudoku2", "magic_square", "skyscraper", "sum_skyscraper", "arc_agi", "slant")
}


@BOTH
@pytest.mark.parametrize("task", GRID_TASKS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_damaged_cell_of_a_grid_is_rejected(task: str, mode: str, data: st.DataObject) -> None:
    grid = [list(row) for row in GRID_TASKS[task]]
    row, column = data.draw(st.integers(0, len(grid) - 1)), data.draw(st.integers(0, len(grid[0]) - 1))
    grid[row][column] = data.draw(st.integers(-1, 10).filter(lambda digit: digit != grid[row][column]))
    if mode == "official" and "skyscraper" in task:  # official does not ask for a Latin square: every clue must hold
        return
    assert not is_right(write_grid(grid), task, mode)


@BOTH
@pytest.mark.parametrize("task", ["binario", "star_battle", "campsite"])
def test_one_damaged_cell_of_a_board_is_rejected(task: str, mode: str) -> None:
    lines = SAMPLES[task].answer.split("\n")
    board = [line for line in lines if line and set(line) <= set(". *X01")]
    others = {"0": "1", "1": "0", ".": "*", "*": ".", "X": "."}
    for i, line in enumerate(board):
        for j, mark in enumerate(line):
            if mark != " ":
                damaged = [*board[:i], line[:j] + others[mark] + line[j + 1 :], *board[i + 1 :]]
                body = "\n".join(damaged)
                body = body if task == "binario" else f"<begin_board>\n{body}\n<end_board>"
                assert not is_right(body, task, mode), (i, j)


@BOTH
@pytest.mark.parametrize("task", ["hitori", "kakurasu", "light_up", "minesweeper"])
def test_a_set_of_cells_may_be_shuffled_but_no_cell_may_be_missing_or_added(task: str, mode: str) -> None:
    cells = [tuple(cell) for cell in SAMPLES[task].gold]
    for order in permutations(cells):
        assert is_right(str(list(order)), task, mode)
        assert is_right(str([list(cell) for cell in order]), task, mode)
    for cell in cells:
        assert not is_right(str([other for other in cells if other != cell]), task, mode)
    for cell in {(0, 2), (1, 1), (2, 1), (9, 9)} - set(cells):
        assert not is_right(str([*cells, cell]), task, mode)


@BOTH
@given(names=st.permutations(range(1, 10)), transposed=st.booleans())
@settings(max_examples=25, deadline=None)
def test_sudoku_with_other_names_for_its_numbers(mode: str, names: list[int], transposed: bool) -> None:
    grid = [[names[cell - 1] for cell in row] for row in SUDOKU]
    grid = [list(row) for row in zip(*grid, strict=True)] if transposed else grid
    givens = [[cell if (i + j) % 3 else 0 for j, cell in enumerate(row)] for i, row in enumerate(grid)]
    assert is_right(write_grid(grid), "sudoku", mode, gold=grid, question=givens)
    assert is_right(str(grid), "sudoku", mode, gold=grid, question=givens)
    swapped = [grid[1], grid[0], *grid[2:]]
    assert not is_right(write_grid(swapped), "sudoku", mode, gold=grid, question=givens)


@BOTH
@pytest.mark.parametrize("turn", range(4))
def test_a_cycle_may_start_anywhere_and_run_backwards(mode: str, turn: int) -> None:
    cycle = [0, 1, 2, 3][turn:] + [0, 1, 2, 3][:turn]
    for way in (cycle, cycle[::-1]):
        assert is_right(str([*way, way[0]]), "hamiltonian_cycle", mode)
        assert not is_right(str([way[1], way[0], *way[2:], way[1]]), "hamiltonian_cycle", mode)


@BOTH
def test_idle_moves_change_nothing(mode: str) -> None:
    assert is_right("RLRR", "eight_puzzle", mode)
    assert is_right("(0,1)->(1,1)->(1,1)->(1,1)->(1,1)", "twiddle", mode)
    assert is_right('["C12", "C11", "R11"]', "nine_puzzle", mode)
    assert is_right("(1,1)->(2,1)->(1,1)->(2,1)->(2,2)", "maze", mode)
    for body, task in (("RRR", "eight_puzzle"), ("(0,1)->(0,1)", "twiddle"), ('["R12"]', "nine_puzzle")):
        assert not is_right(body, task, mode)


@pytest.mark.parametrize(
    ("body", "task", "official", "rules"),
    [
        ("0 2 1 1\n1 1 0 0\n0 1 0 1\n1 0 1 0", "binario", True, False),
        ("[0, 1, 2, 3, 1]", "hamiltonian_cycle", True, False),
        ('["R11", "R13"]', "nine_puzzle", True, False),
        ("2 | 7 | 6\n9 | 5 | 1\n4 | 3 | 8", "magic_square", False, True),
        ("[[2, 7, 6], [9, 5, 1], [4, 3, 8], [0, 0, 0]]", "magic_square", True, False),
        ("LL", "eight_puzzle", False, True),
        ("[(0, 1), (0, 1)]", "minesweeper", True, True),
        ("[(0, 0), (1, 2), (0, 0)]", "light_up", False, True),
        ("[['X', 'X', 'X'], ['O', 'O', ''], ['', '', '']]", "tic_tac_toe", False, True),
        ("((2*3)+4)", "countdown", True, True),
        ("2*(3-4)+12", "countdown", False, False),
    ],
)
def test_where_the_modes_differ(body: str, task: str, official: bool, rules: bool) -> None:
    assert (is_right(body, task, "official"), is_right(body, task, "rules")) == (official, rules)


def test_refusals_score_by_the_rules_only_where_nothing_can_be_done() -> None:
    swapped = [[2, 1, 3], [4, 5, 6], [7, 8, 0]]
    assert is_right("No feasible move path exists.", "eight_puzzle", question=swapped)
    assert not is_right("No feasible move path exists.", "eight_puzzle", "official", question=swapped)
    assert not is_right("No feasible move path exists.", "eight_puzzle")
    walled = {"gold": "The answer is: not exist.", "question": [["S", "B"], ["B", "E"]]}
    assert is_right("not exist the path from start to end.", "maze", **walled)
    assert not is_right("not exist the path from start to end.", "maze")
    assert is_right('"NO"', "hamiltonian_cycle", gold="NO", question="3\n0 1\n1 2")
    assert not is_right('"NO"', "hamiltonian_cycle", "official", gold="NO", question="3\n0 1\n1 2")


# Solvers against slow versions


def slides_from_goal(size: int) -> set[tuple[int, ...]]:
    goal = (*range(1, size * size), 0)
    seen, waiting = {goal}, deque([goal])
    while waiting:
        board = waiting.popleft()
        row, column = divmod(board.index(0), size)
        for down, right in moves.STEPS.values():
            if 0 <= row + down < size and 0 <= column + right < size:
                tiles = list(board)
                here, there = row * size + column, (row + down) * size + column + right
                tiles[here], tiles[there] = tiles[there], tiles[here]
                if tuple(tiles) not in seen:
                    seen.add(tuple(tiles))
                    waiting.append(tuple(tiles))
    return seen


def test_which_boards_can_be_slid_into_order() -> None:
    reached = slides_from_goal(2)
    for tiles in permutations(range(4)):
        assert moves.can_slide([list(tiles[:2]), list(tiles[2:])]) == (tiles in reached)


@given(st.permutations(range(9)), st.text("LRUD", max_size=60))
def test_sliding_keeps_whether_a_board_can_be_ordered(tiles: list[int], steps: str) -> None:
    board = [tiles[:3], tiles[3:6], tiles[6:]]
    before = moves.can_slide(board)
    for step in steps:
        row, column = next((i, j) for i in range(3) for j in range(3) if board[i][j] == 0)
        down, right = moves.STEPS[step]
        if 0 <= row + down < 3 and 0 <= column + right < 3:
            other = board[row + down][column + right]
            board[row + down][column + right], board[row][column] = 0, other
    assert moves.can_slide(board) == before


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=6), st.integers(0, 4))
def test_fewest_switches_against_all_orders(colours: list[str], reach: int) -> None:
    legal = [
        order
        for order in permutations(range(len(colours)))
        if all(abs(car - i) <= reach for i, car in enumerate(order))
    ]
    switches = [sum(colours[a] != colours[b] for a, b in pairwise(order)) for order in legal]
    assert sequences.fewest_switches(colours, reach) == min(switches)


def slow_forced(grid: list[list[int]]) -> set[tuple[int, int]] | None:
    cells = [(i, j) for i, row in enumerate(grid) for j, _ in enumerate(row)]
    unknown = [cell for cell in cells if grid[cell[0]][cell[1]] == mines.UNKNOWN]
    numbers = [cell for cell in cells if grid[cell[0]][cell[1]] >= 0]
    forced: set[tuple[int, int]] | None = None
    for values in product((False, True), repeat=len(unknown)):
        placed = {cell for cell, mine in zip(unknown, values, strict=True) if mine}
        if all(grid[i][j] == sum(max(abs(i - k), abs(j - m)) == 1 for k, m in placed) for i, j in numbers):
            forced = placed if forced is None else forced & placed
    return forced


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=2, max_size=3), st.data())
def test_forced_mines_against_all_assignments(laid: list[list[bool]], data: st.DataObject) -> None:
    shown = data.draw(st.lists(st.booleans(), min_size=12, max_size=12))
    places = [(i, j) for i, row in enumerate(laid) for j, mine in enumerate(row) if mine]
    grid = [
        [
            sum(max(abs(i - k), abs(j - m)) == 1 for k, m in places) if shown[4 * i + j] and not mine else mines.UNKNOWN
            for j, mine in enumerate(row)
        ]
        for i, row in enumerate(laid)
    ]
    assert mines.forced_mines(grid) == slow_forced(grid)


def test_a_grid_that_no_mines_explain_forces_nothing() -> None:
    assert mines.forced_mines([[2, mines.UNKNOWN]]) is None


def test_possible_stack_orders_are_the_catalan_numbers() -> None:
    for size, catalan in ((3, 5), (4, 14), (5, 42)):
        items = list(range(size))
        stacks = [sequences.Stack(items, list(order), False) for order in permutations(items)]
        possible = [stack for stack in stacks if sequences.is_possible(stack)]
        assert len(possible) == catalan
        for stack in possible:
            assert sequences.simulate(json.loads(sequences.write_operations(stack)), stack)


CELLS = st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4)


@given(CELLS, CELLS)
def test_pairing_against_all_pairings(trees: set[tuple[int, int]], tents: set[tuple[int, int]]) -> None:
    beside = lambda tree, tent: abs(tree[0] - tent[0]) + abs(tree[1] - tent[1]) == 1  # noqa: E731
    slow = any(all(map(beside, sorted(trees), order)) for order in permutations(tents, len(trees)))
    assert boards.pair_up(trees, tents) == slow


def test_perfect_play_draws_and_a_fork_wins() -> None:
    assert noughts.outcome(("",) * 9, "X") == 0
    assert noughts.outcome(("X", "", "", "", "O", "", "", "", "X"), "O") == 0
    assert noughts.outcome(("X", "O", "", "", "", "", "X", "", "O"), "X") == 1


NUMBERS = st.integers(0, 13).map(str)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", "*", " / "]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(EXPRESSIONS)
def test_arithmetic_against_pythons(expression: str) -> None:
    tokens = arithmetic.tokens(expression)
    assert tokens is not None
    exact = "".join(f"Fraction({token})" if token.isdigit() else token for token in tokens)
    try:
        expected = eval(exact, {"Fraction": Fraction})  # our own expression
    except ZeroDivisionError:
        expected = None
    steps = arithmetic.evaluate(tokens)
    assert (steps[-1] if steps else None) == expected


@pytest.mark.parametrize("text", ["", "1 +", "(1", "1)", "1 2", "1 ** 2", "1 // 2", "2 % 2", "1.5", "a", "()", "1 = 1"])
def test_what_is_no_expression(text: str) -> None:
    tokens = arithmetic.tokens(text)
    assert tokens is None or arithmetic.evaluate(tokens) is None


# Chess: numbers of move sequences that are published for every generator of moves ("perft")

KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"
ENDGAME = "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1"
PROMOTIONS = "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1"


def perft(position: chess.Position, depth: int) -> int:
    found = list(chess.legal_moves(position))
    return len(found) if depth == 1 else sum(perft(chess.play(position, move), depth - 1) for move in found)


@pytest.mark.parametrize(
    ("fen", "depth", "count"),
    [(chess.START, 2, 400), (KIWIPETE, 1, 48), (KIWIPETE, 2, 2039), (ENDGAME, 3, 2812), (PROMOTIONS, 2, 264)],
)
def test_legal_moves_are_as_many_as_published(fen: str, depth: int, count: int) -> None:
    position = chess.read_fen(fen)
    assert position is not None
    assert perft(position, depth) == count


def test_another_mate_is_right_by_the_rules() -> None:
    back_rank = {"gold": "Rb8#", "question": "6k1/5ppp/8/8/8/8/8/QR4K1 w - - 0 1"}
    assert is_right("Qa8#", "checkmate_in_one", **back_rank)
    assert not is_right("Qa8#", "checkmate_in_one", "official", **back_rank)
    for wrong in ("Qa8", "Qa7#", "Rb7#", "Kg2#", "Ra8#", "O-O#", "Qz9#"):
        assert not is_right(wrong, "checkmate_in_one", **back_rank)
    assert not is_right("Qh5#", "checkmate_in_one", gold="Qh4#", question="1. f3 e5 2. Qq9")
