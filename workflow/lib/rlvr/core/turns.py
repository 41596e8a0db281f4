"""Parts of a completion: reasoning, what is said after it, and turns of the user that the model only invented.

One reading for the graders and for the format reward, in training as in evaluation. A completion may begin with the
opening tag or, where the prompt wrote it, behind it: both are read alike.
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import islice

THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"
ANSWER_TAG = re.compile(r"</?answer>")
CONTROL_TOKEN = re.compile(r"<[|\uff5c][^|<>\uff5c]{1,40}[|\uff5c]>|</?(?:think|answer|s|eos|pad)>")
INVISIBLE = "\u115f\u1160\u3164\uffa0\u2800"  # letters and signs by their category, yet blank
WORDS = re.compile(rf"[^\W_{INVISIBLE}]+")

# Signs of a chat template that open the user's turn, wherever they stand.
CONTROL = (
    r"<[|\uff5c]\s*(?:user|human|prompter|customer|\u7528\u6237)\s*[|\uff5c]>"
    r"|<\|(?:im_start|start_header_id|start|start_of_role)\|>\s*(?:user|human)"
    r"|<start_of_turn>\s*(?:user|human)|\[INST\]"
)
SPEAKERS = (
    "(?:(?:new|next) )?(?:user|human)(?:['\u2019]s)?(?: (?:question|query|input|message|request))?"
    "|usuario|usu\u00e1rio|utilisateur|utente|benutzer|nutzer|\u043f\u043e\u043b\u044c\u0437\u043e\u0432\u0430"
    "\u0442\u0435\u043b\u044c|\u7528\u6237|\u4f7f\u7528\u8005|\u4eba\u7c7b|\u30e6\u30fc\u30b6\u30fc|\uc0ac\uc6a9\uc790"
)
# Headings under which a model also writes down the question it was asked: see ``Turns.find``.
HEADINGS = (
    r"(?:(?:next|new|another|second|follow-?up)\s)?question|(?:next|new|another)\s(?:problem|exercise)|q"
    r"|(?:problem|exercise)(?=[ \t]*\#?\d)|\u95ee\u9898|\u9898\u76ee|\u554f\u984c|\u63d0\u95ee|\u4e0b\u4e00\u9898"
)
WORDY = "problem|exercise|query|instruction"  # plain, they often begin a sentence
BEFORE = (
    r"^(?P<tags>(?:[ \t]*+</?think>)*+)[ \t]*+(?:>[ \t]*+)*+"
    r"(?P<mark>\#{1,6}[ \t]*+|[\[<\u3010](?!/))?[ \t]*+(?P<bold>[*_]{1,3}|<(?:b|strong)>)?[ \t]*+"
)
AFTER = (
    r"[ \t]*+(?:[*_]{1,3}|</(?:b|strong)>|\]|>)?[ \t]*+[:\uff1a]|(?<=\d)[.)]"
    r"|(?(mark)[ \t]*+(?:[\]>\u3011]|[*_]{0,3}[ \t\r]*+$)|(?(bold)[ \t]*+(?:[*_]{1,3}|</(?:b|strong)>)[ \t\r]*+$|(?!)))"
    r"|(?P<alone>[ \t\r]*+$)"
)
TURN = re.compile(
    rf"(?P<control>{CONTROL})|{BEFORE}"
    rf"(?:(?P<speaker>{SPEAKERS})|(?P<heading>{HEADINGS})|(?P<wordy>{WORDY}))"
    rf"(?:[ \t]*+\#?(?P<number>\d{{1,3}}))?(?:{AFTER})",
    re.MULTILINE | re.IGNORECASE,
)
# Who answers a turn that was only invented.
REPLY = re.compile(
    r"^[ \t]*+(?:>[ \t]*+)*+[\#*_\[<\u3010]*+[ \t]*+(?:"
    r"(?:assistant|ai|bot|chatbot|model|gpt|response|reply|\u52a9\u624b)[ \t]*+\d{0,3}[\]>\u3011*_]*+[ \t]*+"
    r"(?:[:\uff1a]|\r?$)"
    r"|(?:answer|solution|a|\u56de\u7b54|\u7b54\u6848)[ \t]*+\d{0,3}[\]>\u3011*_]*+[ \t]*+[:\uff1a])",
    re.MULTILINE | re.IGNORECASE,
)
# What ends a turn, whoever speaks next.
END = re.compile(
    r"<\|(?:im_end|endoftext|eot_id|end_of_text|end|eos)\|>|<[|\uff5c]end[_\u2581]of[_\u2581]sentence[|\uff5c]>"
    r"|<end_of_turn>|<eos>|</s>(?=\s|<s>|$)"
)

# A line such as "User: 5 visits" is a row of a table: amounts, with up to three words each.
AMOUNT = r"[-+~\u2248<>]?\s*+[$\u20ac\u00a3\u00a5]?\s*+\d++(?:[.,]\d++)*+(?:\s*+%)?(?:\s*+[^\W\d_]++){0,3}+"
LABEL = r"[^\W\d_]++(?:\s[^\W\d_]++)?\s*+[:=]\s*+"
AMOUNTS = re.compile(rf"[\s*_]*+{AMOUNT}(?:\s*+[,;|/]\s*+(?:{LABEL})?{AMOUNT})*+[\s.;,*_|]*+")
# So is a short one beside rows under other names.
NAME = r"[^\W\d_]++(?:[ \t][^\W\d_]++){0,2}"
ROW = re.compile(rf"[\s*_>|-]*+(?P<name>{NAME})[*_]*+[ \t]*+[:\uff1a][*_]*+[ \t]*+(?P<value>[^\n]*)")
NO_ROWS = re.compile(
    rf"{SPEAKERS}|{HEADINGS}|{WORDY}|.*\banswer|assistant|ai|bot|model|system|response|solution|result|explanation|note|step"
    r"|thought|thinking|\u52a9\u624b|\u56de\u7b54|\u7b54\u6848",
    re.IGNORECASE,
)
MOST_WORDS = 3  # of such a row
MOST_ENDS = 20  # signs of an end before which nothing is said
NOT_BLANK = re.compile(r"^[^\S\n]*\S", re.MULTILINE)
FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
STATES = re.compile(r"[\d$]|\\[(\[]")  # a digit or a formula: more than an announcement


def _marks(text: str) -> Iterator[re.Match[str]]:
    """Matches of ``TURN``, as ``finditer`` has them, sought only where one can begin: megabytes take milliseconds."""
    place = 0
    lines = (at + 1 for at in _places(text, "\n"))
    for start in merge((0,), lines, _places(text, "<"), _places(text, "[")):
        if start >= place and (found := TURN.match(text, start)):
            yield found
            place = max(found.end(), start + 1)


def _places(text: str, sign: str) -> Iterator[int]:
    """Where a sign stands."""
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


@dataclass(frozen=True)
class Turns:
    """A completion, for the search of turns that are not the model's own."""

    text: str

    def find(self) -> int | None:
        """Where the first invented turn of the user begins, or ``None``.

        A speaker's name counts at the beginning of any line, unless the line is a row of a table or stands in a fenced
        block. The heading of a question counts only where an answer was given before it: in a reasoning that is
        closed later, a box; elsewhere a box, a digit or a formula. For models also begin by writing the question down.
        Numbered ones are no turns where the first of them stands before any box: the model answers several questions.
        A name alone on its line, and a heading that often begins a sentence, count if somebody answers later.
        """
        listed = False
        for found in _marks(self.text):
            if found["control"]:
                return found.start()
            place = found.end("tags")
            if found["number"] and not found["speaker"]:  # maybe one of several questions that are answered in turn
                listed |= found["number"] == "1" and self._first_box > place
                if listed:
                    continue
            if self._opens_turn(found, place) and not self._is_fenced(place):
                return place
        return None

    def _opens_turn(self, found: re.Match[str], place: int) -> bool:
        plain = not (found["mark"] or found["bold"])
        if plain and (found["alone"] is not None or found["wordy"]) and self._last_reply < place:
            return False
        if not found["speaker"]:
            return self._answered_before(place) and (found["alone"] is None or not plain)
        return not self._is_row(found)

    @cached_property
    def _first_box(self) -> int:
        place = self.text.find(r"\boxed")
        return len(self.text) if place < 0 else place

    @cached_property
    def _last_reply(self) -> int:
        return max((found.start() for found in REPLY.finditer(self.text)), default=-1)

    @cached_property
    def _said(self) -> int:
        """Where what is said after the reasoning begins; 0 where no reasoning is closed."""
        place = self.text.rfind(THINK_CLOSE)
        return 0 if place < 0 else place + len(THINK_CLOSE)

    @cached_property
    def _first_statement(self) -> int:
        found = STATES.search(self.text, self._said)
        return found.start() if found else len(self.text)

    @cached_property
    def _fences(self) -> list[int]:
        return [found.start() for found in FENCE.finditer(self.text)]

    def _is_fenced(self, place: int) -> bool:
        opened = bisect(self._fences, place)
        return opened % 2 == 1 and opened < len(self._fences)

    def _answered_before(self, place: int) -> bool:
        return min(self._first_box, self._first_statement if place >= self._said else len(self.text)) < place

    def _is_row(self, found: re.Match[str]) -> bool:
        end = self.text.find("\n", found.end())
        rest = self.text[found.end() : len(self.text) if end < 0 else end]
        if len(rest) > 200 or "?" in rest or "\uff1f" in rest or not rest.strip():
            return False
        if end >= 0 and (following := NOT_BLANK.search(self.text, end)) and REPLY.match(self.text, following.start()):
            return False
        if AMOUNTS.fullmatch(rest):
            return True
        return len(rest.split()) <= MOST_WORDS and any(map(_names_a_row, self._neighbours(found.start(), end)))

    def _neighbours(self, start: int, end: int) -> Iterator[str]:
        if start:
            yield self.text[self.text.rfind("\n", 0, start - 1) + 1 : start - 1]
        if end >= 0:
            following = self.text.find("\n", end + 1)
            yield self.text[end + 1 : len(self.text) if following < 0 else following]


def _names_a_row(line: str) -> bool:
    row = ROW.fullmatch(line) if len(line) <= 200 else None
    if row is None or NO_ROWS.fullmatch(row["name"]):
        return False
    return 0 < len(row["value"].split()) <= MOST_WORDS


def says_something(text: str) -> bool:
    """Whether anything but blanks, punctuation, invisible characters and signs of a chat template is there."""
    bare = CONTROL_TOKEN.sub("", text)
    return WORDS.search(bare) is not None or any(map(_is_symbol, bare))


def _is_symbol(sign: str) -> bool:
    """Whether a sign says something by itself, as an infinity does; a plus or a dollar does not."""
    return sign > "\x7f" and sign not in INVISIBLE and unicodedata.category(sign) in ("Sm", "So")


def find_user_turn(text: str) -> int | None:
    """Where a completion begins to play the user, or ``None``; see ``Turns.find``. Linear in the text's length."""
    return Turns(text).find()


def own_turn(text: str) -> str:
    """A completion up to where it ends, or begins a turn that it only invented."""
    own = text[: find_user_turn(text)]
    if "<" not in own:
        return own
    ends = (found.start() for found in islice(END.finditer(own), MOST_ENDS) if says_something(own[: found.start()]))
    return own[: next(ends, None)]


def split_turn(text: str) -> tuple[str, str | None]:
    """Reasoning and what is said after it.

    Args:
        text: The model's own turn; everything before the last closing tag is reasoning, whether or not a tag opens it.

    Returns:
        The second is ``None`` where no reasoning is closed; it ends where the model begins to reason again.
    """
    reasoning, closing, said = text.rpartition(THINK_CLOSE)
    return (reasoning, said.partition(THINK_OPEN)[0]) if closing else (said, None)
