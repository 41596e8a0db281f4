"""Orders and lists: painted cars, stacks, Hamiltonian paths and cycles, list functions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.puzzle import Puzzle, as_integers

PUSH = re.compile(r"Push\(([0-9]{1,18})\)")
MAX_REACH = 6  # the released puzzles have 2 to 5; the states grow as four to the reach
NOT_VALID = ("not a valid", "not valid")


# Car painting


@dataclass(frozen=True)
class Cars:
    """Cars in their order of arrival, their colours, how far each may move, and the stored number of switches."""

    ids: list[int]
    colours: list[str]
    reach: int
    stored: int

    @cached_property
    def fewest(self) -> int:
        """The smallest number of switches of any legal order; the stored one where it would take too long to find."""
        return fewest_switches(self.colours, self.reach) if self.reach <= MAX_REACH else self.stored


def load_cars(puzzle: Puzzle) -> Cars:
    """Cars, colours, reach and stored switches."""
    ids, colours = as_integers(puzzle.value("car_ids")), puzzle.value("colors")
    reach, stored = puzzle.value("K"), puzzle.value("min_switches")
    if not isinstance(colours, list) or len(colours) != len(ids) or len(set(ids)) != len(ids) or not ids:
        raise ValueError("cars and colours do not fit each other")
    if type(reach) is not int or type(stored) is not int or reach < 0:
        raise ValueError("reach or stored switches are no usable number")
    return Cars(ids, [str(colour) for colour in colours], reach, stored)


def fewest_switches(colours: list[str], reach: int) -> int:
    """Dynamic programme over which of the 2 reach + 1 cars around each place are used up, and the last colour."""
    size, full = len(colours), 2 * reach + 1
    # bit b of a state stands for the car that arrived at place + b - reach; cars before the first count as used
    states = {((1 << reach) - 1, ""): 0}
    for place in range(size):
        following: dict[tuple[int, str], int] = {}
        for (used, last), switches in states.items():
            oldest_must_go = not used & 1 and place - reach >= 0
            for bit in range(1 if oldest_must_go else full):
                car = place + bit - reach
                if used >> bit & 1 or not 0 <= car < size:
                    continue
                key = ((used | 1 << bit) >> 1, colours[car])
                cost = switches + (last not in ("", colours[car]))
                following[key] = min(cost, following.get(key, cost))
        states = following
    return min(states.values())


def switches_of(text: str, cars: Cars) -> int | None:
    """Colour switches of an answer's order; -1 for an order that is not legal, ``None`` where there is none."""
    order = parse.first_list(text)
    if order is None:
        return None
    arrival = {car: place for place, car in enumerate(cars.ids)}
    if sorted(order) != sorted(cars.ids) or any(abs(arrival[car] - i) > cars.reach for i, car in enumerate(order)):
        return -1
    painted = [cars.colours[arrival[car]] for car in order]
    return sum(first != second for first, second in pairwise(painted))


def official_cars(text: str, cars: Cars) -> bool | None:
    """A legal order with exactly the stored number of switches, which is not always the smallest one."""
    switches = switches_of(text, cars)
    return None if switches is None else switches == cars.stored


def rules_cars(text: str, cars: Cars) -> bool | None:
    """A legal order with the smallest possible number of switches."""
    switches = switches_of(text, cars)
    return None if switches is None else switches == cars.fewest


# Stack permutation


@dataclass(frozen=True)
class Stack:
    """Numbers in the order in which they are pushed and popped, and whether the stored answer says "impossible"."""

    pushed: list[int]
    popped: list[int]
    said_to_be_impossible: bool


def load_stack(puzzle: Puzzle) -> Stack:
    """Both sequences and the stored sentence."""
    pushed, popped = as_integers(puzzle.value("input_sequence")), as_integers(puzzle.value("output_sequence"))
    return Stack(pushed, popped, any(words in puzzle.answer_text for words in NOT_VALID))


def simulate(operations: list[str], stack: Stack) -> bool:
    """Whether the operations push the input in order and pop the output, with nothing left."""
    waiting, held, out = list(reversed(stack.pushed)), list[int](), list[int]()
    for operation in operations:
        push = PUSH.match(operation)
        if push and waiting and waiting[-1] == int(push[1]):
            held.append(waiting.pop())
        elif operation.startswith("Pop") and held:
            out.append(held.pop())
        else:
            return False
    return not waiting and not held and out == stack.popped


def is_possible(stack: Stack) -> bool:
    """Whether the output can come out: pop as soon as the top is wanted."""
    held, wanted = list[int](), iter(stack.popped)
    want = next(wanted, None)
    for item in stack.pushed:
        held.append(item)
        while held and held[-1] == want:
            held.pop()
            want = next(wanted, None)
    return not held and want is None


def official_stack(text: str, stack: Stack) -> bool | None:
    """A list of operations, or a quoted sentence with "not a valid" where the stored answer has it."""
    answer = parse.texts(text)
    if answer is None:
        return None
    if stack.said_to_be_impossible:
        return isinstance(answer, str) and any(words in answer for words in NOT_VALID)
    return isinstance(answer, list) and simulate(answer, stack)


def rules_stack(text: str, stack: Stack) -> bool | None:
    """A list of operations, or, where there is none, the refusal, in quotation marks or not."""
    answer = parse.texts(text)
    if isinstance(answer, list):
        return simulate(answer, stack)
    return any(words in text for words in NOT_VALID) and not is_possible(stack)


def write_operations(stack: Stack) -> str:
    """Operations for a possible output, as the prompt asks for them."""
    return "[" + ", ".join(f'"{operation}"' for operation in _operations(stack)) + "]"


def _operations(stack: Stack) -> Iterator[str]:
    held, wanted = list[int](), list(reversed(stack.popped))
    for item in stack.pushed:
        held.append(item)
        yield f"Push({item})"
        while held and wanted and held[-1] == wanted[-1]:
            held.pop()
            wanted.pop()
            yield "Pop()"


# Hamiltonian paths and cycles


@dataclass(frozen=True)
class Graph:
    """Number of vertices, edges in both directions, and whether the stored answer is NO."""

    vertices: int
    edges: frozenset[tuple[int, int]]
    said_to_have_none: bool


def load_graph(puzzle: Puzzle) -> Graph:
    """A line with the number of vertices, then one edge per line."""
    first, *lines = puzzle.text("question").strip().split("\n")
    pairs = [tuple(map(int, line.split())) for line in lines if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("an edge must have two ends")
    edges = frozenset(
        pair for first_end, second_end in pairs for pair in ((first_end, second_end), (second_end, first_end))
    )
    return Graph(int(first), edges, str(puzzle.answer).strip() == "NO")


def visits_all(path: list[int], graph: Graph) -> bool:
    """Whether a path visits every vertex once, along edges."""
    once = len(path) == graph.vertices and set(path) == set(range(graph.vertices))
    return once and all(edge in graph.edges for edge in pairwise(path))


def official_path(text: str, graph: Graph) -> bool | None:
    """The first list in the answer is such a path; NO is never accepted."""
    path = parse.first_list(text)
    return None if path is None else visits_all(path, graph)


def official_cycle(text: str, graph: Graph) -> bool | None:
    """The list without its last vertex is a path that closes, whatever the last vertex is; NO is never accepted."""
    path = parse.first_list(text)
    if path is None:
        return None
    return visits_all(path[:-1], graph) and (path[-2], path[0]) in graph.edges if len(path) > 1 else False


def rules_cycle(text: str, graph: Graph) -> bool | None:
    """A cycle that ends where it starts, or NO where the stored answer says so."""
    path = parse.first_list(text)
    if path is None:
        return _refuses(text, graph)
    closed = len(path) > 1 and path[-1] == path[0] and (path[-2], path[0]) in graph.edges
    return closed and visits_all(path[:-1], graph)


def rules_path(text: str, graph: Graph) -> bool | None:
    """A path, or NO where the stored answer says so."""
    path = parse.first_list(text)
    return _refuses(text, graph) if path is None else visits_all(path, graph)


def _refuses(text: str, graph: Graph) -> bool | None:
    return graph.said_to_have_none if parse.unquoted(text) == "NO" else None


# List functions


def load_list(puzzle: Puzzle) -> list[int]:
    """The stored list."""
    return as_integers(puzzle.answer)


def check_list(text: str, gold: list[int], signed: bool) -> bool | None:
    """The first list in the answer is the stored one; ``signed`` also reads empty lists and signs."""
    found = parse.first_signed_list(text) if signed else parse.first_list(text)
    return None if found is None else found == gold


official_list = partial(check_list, signed=False)
rules_list = partial(check_list, signed=True)
