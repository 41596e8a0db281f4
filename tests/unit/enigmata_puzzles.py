"""One small puzzle of our own for every Enigmata task that has a verifier: stored answer, record, a right answer."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """Stored answer, record, and a right answer in the asked format (``None``: what the task replays)."""

    gold: Any
    record: dict[str, Any]
    right: str | None = None

    @property
    def answer(self) -> str:
        return self.gold if isinstance(self.gold, str) else json.dumps(self.gold)

    @property
    def meta(self) -> str:
        return json.dumps({"difficulty_level": "easy", **self.record})

    @property
    def nested_meta(self) -> str:
        """The puzzle's record as JSON whose lists and objects are JSON text themselves, as in some released rows."""
        nested = {
            key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in self.record.items()
        }
        return json.dumps(nested)


SUDOKU = [[(3 * (i % 3) + i // 3 + j) % 9 + 1 for j in range(9)] for i in range(9)]
CAMPSITE = "total number of tents: 2\ntents in each row: 1 0 1\ntents in each column: 1 0 1"
TOWN = (
    "Story: There is a set of roads and a set of landmarks. The start point is house A. There is a road which is 200 "
    "meters long from house A to store B. There is a road which is 100 meters long from house A to bank C. There is a "
    "road which is 100 meters long from bank C to store D. \nQuestion: From the start point, how to reach the nearest "
    "store?"
)
TABLE = "| Name | ann | bob |\n| Pet  | cat | dog |"

SAMPLES = {
    "binario": Sample("0 0 1 1\n1 1 0 0\n0 1 0 1\n1 0 1 0", {"question": "0 _ 1 1\n1 1 _ 0\n0 1 0 1\n1 0 1 _"}),
    "sudoku": Sample(SUDOKU, {"question": [[0 if i == j else SUDOKU[i][j] for j in range(9)] for i in range(9)]}),
    "sudoku2": Sample(
        [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]],
        {"question": [[1, 0, 3, 4], [3, 4, 0, 2], [2, 1, 4, 3], [4, 0, 2, 1]]},
    ),
    "magic_square": Sample([[2, 7, 6], [9, 5, 1], [4, 3, 8]], {"question": [[2, None, 6], [9, 5, None], [4, 3, 8]]}),
    "skyscraper": Sample(
        [[1, 2, 3], [2, 3, 1], [3, 1, 2]],
        {"question": {"top": [3, 2, 1], "left": [3, 2, 1], "right": [1, 2, 2], "bottom": [1, 2, 2]}},
    ),
    "sum_skyscraper": Sample(
        [[1, 2, 3], [2, 3, 1], [3, 1, 2]],
        {"question": {"top": [6, 5, 3], "left": [6, 5, 3], "right": [3, 4, 5], "bottom": [3, 4, 5]}},
    ),
    "slant": Sample([[1, -1], [1, -1]], {"question": "0 2 0\n. . .\n1 0 1"}),
    "arc_agi": Sample([[1, 2], [3, 4]], {}),
    "symbolic_hard": Sample("1 2\n3 4", {}),
    "campsite": Sample(
        f"{CAMPSITE}\n<begin_board>\n* X .\n. . .\n. X *\n<end_board>", {"question": f"{CAMPSITE}\n. X .\n. . .\n. X ."}
    ),
    "star_battle": Sample(". * . .\n. . . *\n* . . .\n. . * .", {"question": ". . . .\n. . . .\n. . . .\n. . . ."}),
    "tic_tac_toe": Sample(
        [["X", "X", "X"], ["O", "O", ""], ["", "", ""]],
        {"current_board": [["X", "X", ""], ["O", "O", ""], ["", "", ""]], "active_player": "X"},
    ),
    "hitori": Sample([[0, 0], [1, 1]], {"question": [[1, 2, 1], [2, 3, 3], [1, 3, 2]]}),
    "kakurasu": Sample([[1, 1], [2, 2]], {"question": "Board size: 2 X 2\nRow sums: [1, 2]\nColumn sums: [1, 2]\n"}),
    "light_up": Sample([[0, 0], [1, 2]], {"question": ".1.\n.#."}),
    "minesweeper": Sample([[0, 1]], {"question": [[1, -2], [1, 1]]}),
    "eight_puzzle": Sample("[]", {"question": [[1, 2, 3], [4, 5, 6], [0, 7, 8]]}, "RR"),
    "fifteen_puzzle": Sample("[]", {"question": [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 0, 14, 15]]}, "RR"),
    "nine_puzzle": Sample("[]", {"question": [[3, 1, 2], [4, 5, 6], [7, 8, 9]]}, '["R11"]'),
    "sixteen_puzzle": Sample(
        "[]", {"question": [[4, 1, 2, 3], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]}, '["R11"]'
    ),
    "twiddle": Sample([[0, 1]], {"question": [[1, 5, 2], [4, 6, 3], [7, 8, 9]]}),
    "maze": Sample("The answer is: (1,1)->(2,1)->(2,2)", {"question": [["S", "B"], [".", "E"]]}),
    "car_painting": Sample(
        [1, 3, 2, 4],
        {"car_ids": [1, 2, 3, 4], "colors": ["A", "B", "A", "B"], "K": 1, "min_switches": 1},
    ),
    "stack_permutation": Sample(
        "The output sequence is a valid stack permutation.",
        {"input_sequence": [1, 2, 3], "output_sequence": [2, 1, 3]},
    ),
    "hamiltonian_cycle": Sample([0, 1, 2, 3, 0], {"question": "4\n0 1\n1 2\n2 3\n3 0"}),
    "hamiltonian_path": Sample([0, 1, 2, 3], {"question": "4\n0 1\n1 2\n2 3"}),
    "big_bench_symbolic": Sample([7, 8, 9], {}),
    "countdown": Sample("The answer is: 2*3+4 = 10", {"question": [2, 3, 4], "target": 10}),
    "game24": Sample("The answer is: (12/6)*(13-1) = 24", {"question": [12, 6, 13, 1]}),
    "crypto_KKA": Sample("DONNA", {}),
    "crypto_KPA": Sample("CUED THEOLD", {}),
    "FOLIO": Sample("Unknown", {}),
    "knights_and_knaves": Sample("Entailment", {}),
    "checkmate_in_one": Sample("Qh4#", {"question": "1. f3 e5 2. g4"}),
    "natural_language_navigation": Sample("AB", {"question": TOWN}),
    "zebra_logic": Sample(TABLE, {}, TABLE),
    "full_crosswords": Sample({"across": ["HEART"], "down": ["HEATS", "TREND"]}, {}),
}
