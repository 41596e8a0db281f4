"""Answers in words: plaintexts, labels, chess moves, ways through a town, tables, crosswords."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rlvr.grading.enigmata import chess
from rlvr.grading.enigmata.puzzle import Puzzle

START = re.compile(r"The start point is (\w+) (\w+)\.")
ROAD = re.compile(r"There is a road which is ([0-9]+) meters long from (\w+) (\w+) to (\w+) (\w+)\.")
WANTED = re.compile(r"nearest (\w+)\?")
LETTERS = re.compile(r"[A-Z, ]+")

RULE_CELL = re.compile(r":?-+:?")


def load_text(puzzle: Puzzle) -> str:
    """The stored text."""
    return puzzle.answer_text.strip()


def check_words(text: str, gold: str) -> bool:
    """Equal to the stored text but for the amount of white space; case counts."""
    return text.split() == gold.split()


def check_label(text: str, gold: str) -> bool:
    """Exactly the stored label."""
    return text.strip() == gold


def check_quoted_label(text: str, gold: str) -> bool:
    """The stored label, with or without quotation marks."""
    return text.replace('"', "").replace("'", "").strip() == gold


# Chess


@dataclass(frozen=True)
class Mate:
    """Stored move and the game or position before it."""

    gold: str
    question: str

    @cached_property
    def position(self) -> "chess.Position | None":
        """The position to move in, or ``None`` where the question cannot be replayed."""
        return chess.read_position(self.question)


def load_mate(puzzle: Puzzle) -> Mate:
    """Stored move and, where the record has it, the question."""
    return Mate(load_text(puzzle), str(puzzle.record.get("question", "")))


def official_mate(text: str, mate: Mate) -> bool:
    """Exactly the stored move, sign of mate included."""
    return text.strip() == mate.gold


def rules_mate(text: str, mate: Mate) -> bool:
    """Any move in algebraic notation with the sign of mate that mates; where no game can be read, the stored one."""
    if mate.position is None or official_mate(text, mate):
        return official_mate(text, mate)
    return text.strip().endswith("#") and chess.mates(mate.position, text.strip())


# Navigation


@dataclass(frozen=True)
class Town:
    """Stored way, landmarks' kinds by letter, road lengths, start, and the kind that is looked for."""

    gold: str
    kinds: dict[str, str]
    roads: dict[tuple[str, str], int]
    start: str
    wanted: str

    @cached_property
    def nearest(self) -> int | None:
        """Metres from the start to the nearest landmark of the wanted kind, the start itself aside."""
        distances = shortest_distances(self.start, self.roads)
        reached = [
            distances[letter] for letter, kind in self.kinds.items() if kind == self.wanted and letter in distances
        ]
        return min((metres for metres in reached if metres), default=None)


def load_town(puzzle: Puzzle) -> Town:
    """The town as the question tells it."""
    question = puzzle.text("question")
    start, wanted, told = START.search(question), WANTED.search(question), ROAD.findall(question)
    if not start or not wanted or not told:
        raise ValueError("the question names no start, no goal or no road")
    kinds = {start[2]: start[1]}
    roads: dict[tuple[str, str], int] = {}
    for metres, kind, letter, far_kind, far_letter in told:
        kinds |= {letter: kind, far_letter: far_kind}
        for road in ((letter, far_letter), (far_letter, letter)):
            roads[road] = min(int(metres), roads.get(road, int(metres)))
    return Town(load_text(puzzle), kinds, roads, start[2], wanted[1])


def shortest_distances(start: str, roads: dict[tuple[str, str], int]) -> dict[str, int]:
    """Metres from ``start`` to every letter that can be reached (Dijkstra; a town has at most ten landmarks)."""
    beside = defaultdict(list)
    for (near, far), metres in roads.items():
        beside[near].append((far, metres))
    distances, settled = {start: 0}, set[str]()
    while open_letters := distances.keys() - settled:
        near = min(open_letters, key=lambda letter: distances[letter])
        settled.add(near)
        for far, metres in beside[near]:
            distances[far] = min(distances.get(far, distances[near] + metres), distances[near] + metres)
    return distances


def official_way(text: str, town: Town) -> bool | None:
    """The stored letters, with blanks and commas between them or not."""
    if not LETTERS.fullmatch(text):
        return None
    return re.sub("[, ]", "", text) == town.gold


def rules_way(text: str, town: Town) -> bool | None:
    """Any shortest way from the start to a landmark of the wanted kind."""
    if not LETTERS.fullmatch(text):
        return None
    letters = re.sub("[, ]", "", text)
    roads = [town.roads.get(road) for road in pairwise(letters)]
    if not letters or letters[0] != town.start or None in roads or town.kinds.get(letters[-1]) != town.wanted:
        return False
    return sum(metres or 0 for metres in roads) == town.nearest


# Tables (zebra logic)


def table_rows(text: str) -> list[tuple[str, ...]]:
    """Cells of every row between bars, in lower case; the rule under a table's head is not a row."""
    rows = [tuple(cell.strip().lower() for cell in line.strip().strip("|").split("|")) for line in text.split("\n")]
    return [row for row in rows if not all(RULE_CELL.fullmatch(cell) for cell in row)]


def load_table(puzzle: Puzzle) -> list[tuple[str, ...]]:
    """Rows of the stored table."""
    return table_rows(puzzle.answer_text)


def official_table(text: str, gold: list[tuple[str, ...]]) -> bool:
    """Every stored row occurs, in any order, whatever else does."""
    return set(gold) <= set(table_rows(text))


def rules_table(text: str, gold: list[tuple[str, ...]]) -> bool:
    """Every stored row occurs once, and no other does."""
    return Counter(gold) == Counter(table_rows(text))


# Crosswords


def load_crossword(puzzle: Puzzle) -> dict[str, list[str]]:
    """Words across and down, in capitals without blanks."""
    answer = puzzle.answer
    if not isinstance(answer, dict) or not all(isinstance(answer.get(way), list) for way in ("across", "down")):
        raise ValueError("the stored answer has no words across and down")
    return {way: [_word(str(word)) for word in answer[way]] for way in ("across", "down")}


def check_crossword(text: str, gold: dict[str, list[str]]) -> bool | None:
    """The stored words in order, after ``across:`` and ``down:``; case and blanks do not count."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        key, colon, words = line.partition(":")
        if colon and key.strip().lower() in gold:
            found[key.strip().lower()] = [_word(word) for word in words.split(",")]
    return found == gold if found else None


def write_crossword(gold: dict[str, list[str]]) -> str:
    """Words as the prompt asks for them."""
    return "\n".join(f"{way}: {', '.join(words)}" for way, words in gold.items())


def _word(text: str) -> str:
    return "".join(text.split()).upper()
