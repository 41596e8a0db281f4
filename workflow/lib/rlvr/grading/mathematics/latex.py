r"""The one reader of LaTeX: a text becomes tokens by one table of commands; nothing of it is lost.

Unicode signs, fonts, colours and spacing are normalised here, so that no later module has to know how often people
write the same thing. What no table knows becomes a token of the kind ``other``, which no parser accepts: an answer
that holds one can only be compared as text.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rlvr.grading.mathematics.signs import ACCENTS, ASCII, COMMANDS
from rlvr.grading.mathematics.words import FUNCTION_WORDS, KNOWN_WORDS, SHORT_UNITS, TEXT_UNITS

SPACED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\s|\\[, ]|~)\d{3})+(?:\.\d+)?")
SCRIPT = re.compile(r"([\u2070\u00b9\u00b2\u00b3\u2074-\u207b]+)|([\u2080-\u208b]+)")
SCRIPT_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-0123456789+-")
NUMBER = r"[1-9]\d{0,2}(?:(?:\{,\}|,\s?\\!)\d{3})+(?:\.\d+)?|\d+\.\d+|\d+\.(?=\s*\\(?:overline|bar|dot)\b)|\d+|\.\d+"
GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)", re.ASCII)
PIECE = re.compile(
    rf"(?P<space>(?:\s|~|\\[,;:!> ])+)|\\(?P<command>[A-Za-z]+)\*?|(?P<row>\\\\(?:\[[^\]]*\])?|\\newline)"
    rf"|(?P<escaped>\\.)|(?P<number>{NUMBER})|(?P<letters>[A-Za-z]+)"
    r"|(?P<relation><=|>=|!=|:=|==|=>|<>|[<>=])|(?P<quote>'+)|(?P<sign>\*\*|.)|(?P<end>\\)",
    re.DOTALL | re.ASCII,
)
ARGUMENT = re.compile(r"\s*(?:\{|(\\[A-Za-z]+|\S))")
EXPONENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)[eE]([+-]?\d{1,3})(?![A-Za-z\d.])")
POWER_OF_TEN = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)")
TITLE = re.compile(r"[A-Z][a-z]{2,}")
DIFFERENTIALS = re.compile(r"(?:d[a-z])+")
SINGLE_SIGNS = {
    "+": ("op", "+"), "-": ("op", "-"), "*": ("op", "*"), "/": ("op", "/"), "^": ("op", "^"), "_": ("op", "_"),
    "**": ("op", "^"), "!": ("op", "!"), "(": ("open", "("), ")": ("close", ")"), "[": ("open", "["),
    "]": ("close", "]"), "{": ("open", "{"), "}": ("close", "}"), "|": ("bar", "|"), ",": ("sep", ","),
    ";": ("sep", ";"), ":": ("colon", ":"), "&": ("amp", "&"), "%": ("percent", "%"), "$": ("mark", "$"),
    '"': ("quote", '"'),
}  # fmt: skip
ESCAPED = {"{": ("open", "\\{"), "}": ("close", "\\}"), "%": ("percent", "%"), "$": ("currency", "$"),
           "|": ("bar", "||"), "(": ("mark", "$"), ")": ("mark", "$"), "[": ("mark", "$"), "]": ("mark", "$"),
           "&": ("and", "and"), "_": ("op", "_")}  # fmt: skip
RELATIONS = {"<=": "<=", ">=": ">=", "!=": "!=", ":=": "=", "==": "=", "=>": "=>", "<>": "!=", "<": "<", ">": ">",
             "=": "="}  # fmt: skip
CURRENCIES = frozenset({"US", "USD", "Rs", "EUR", "GBP", "INR"})
MIXED = re.compile(r"(?<![\w.,}])(\d{1,9})(?:\s|\\ )+(\d{1,9})\s*/\s*(\d{1,9})(?![\w.^!_])")
HOURS = re.compile(r"\b([ap])\.\s*m\.?(?![A-Za-z])")
SAFE_UNITS = frozenset({"ft", "cm", "kg", "yd", "lb", "hr"})
CODE_NUMBER = re.compile(r"(?<=\d)\.(?=[/*])|\bnp\.(?=[a-z])")  # SOURCE: golds of Minerva, -3./2, np.arcsin(10/13)
LONE_SIGN = re.compile(r"\{([:=<>])\}")
STRUCTURES = frozenset({"GL", "SL", "SO", "SU", "PSL", "PGL", "Sp", "Spin", "Gal", "Aut", "Hom"})
ROMAN = frozenset({"II", "III", "VII", "VIII"})
MAX_NESTED = 12  # text in text in text


class Token(NamedTuple):
    """One sign of a text.

    Attributes:
        kind: Its role, as the table of commands has it (``number``, ``name``, ``word``, ``relation`` ...).
        text: Its canonical form: equal signs have equal texts, however they were written.
    """

    kind: str
    text: str


class UnreadableError(Exception):
    """The text is not LaTeX that this reader, or a parser behind it, can read whole."""


Tokens = tuple[Token, ...]


def plain(text: str) -> str:
    """The text in ASCII wherever Unicode has a sign for something that LaTeX has a command for."""
    text = SCRIPT.sub(_script, text.translate(ASCII))
    text = LONE_SIGN.sub(r"\1", text)
    text = MIXED.sub(r"\1\\frac{\2}{\3}", text)
    text = CODE_NUMBER.sub("", text)
    if "\\text" not in text:  # within words, a.m. is read with them
        text = HOURS.sub(r"\\text{\1m}", text)
    text = POWER_OF_TEN.sub(r"\\times ", text)
    return EXPONENT.sub(lambda found: rf"{found[1]}\cdot 10^{{{int(found[2])}}}", text)


@lru_cache(maxsize=4096)
def tokenize(text: str) -> Tokens:
    r"""Tokens of a text.

    ``1 000`` and ``1\,000`` are a number where they are the whole text; ``1,000`` is one outside brackets.
    """
    text = plain(text).strip()
    if SPACED_NUMBER.fullmatch(text):
        return tuple(
            Token("op", sign) if sign in "+-" else Token("number", sign)
            for sign in re.findall(r"[+-]|[\d.]+", re.sub(r"\s|\\[, ]|~", "", text))
        )
    tokens = [*_scan(text, 0)]
    return tuple(_without_marks(tokens))


def _script(found: re.Match[str]) -> str:
    return f"{'^' if found[1] else '_'}{{{found[0].translate(SCRIPT_DIGITS)}}}"


def _scan(text: str, nested: int) -> Iterator[Token]:
    """Tokens from left to right."""
    place, depth = 0, 0
    while place < len(text):
        if depth == 0 and (grouped := GROUPED.match(text, place)) and not _touches_digit(text, place):
            yield Token("number", grouped[0].replace(",", ""))
            place = grouped.end()
            continue
        piece = PIECE.match(text, place)
        if piece is None:
            raise UnreadableError
        place = piece.end()
        if piece["letters"] in SHORT_UNITS and _follows_number(text, piece.start(), piece["letters"]):
            tokens = [Token("word", piece["letters"])]
        elif piece["command"]:
            tokens, place = _command(piece["command"], text, place, nested)
        else:
            tokens = _sign(piece)
        for token in tokens:
            depth += (token.kind == "open" and token.text != "{") - (token.kind == "close" and token.text != "}")
            yield token


def _follows_number(text: str, start: int, unit: str) -> bool:
    """Whether two letters are a unit and no product: behind a number and a space, or never multiplied."""
    before = text[:start].rstrip()
    spaced = len(before) < start
    return bool(re.search(r"(?:\d|\\pi|\})$", before)) and (spaced or unit in SAFE_UNITS)


def _touches_digit(text: str, place: int) -> bool:
    return place > 0 and (text[place - 1].isdigit() or text[place - 1] == "," or text[place - 1] == ".")


def _sign(piece: re.Match[str]) -> list[Token]:
    if piece["space"]:
        return []
    if piece["row"]:
        return [Token("row", "\\\\")]
    if piece["escaped"] or piece["end"]:
        return [Token(*ESCAPED.get(piece[0][1:], ("other", piece[0])))]
    if piece["number"]:
        return [Token("number", re.sub(r"[{},!\\\s]", "", piece["number"]))]
    if piece["letters"]:
        return [*_letters(piece["letters"])]
    if piece["relation"]:
        return [Token("relation", RELATIONS[piece["relation"]])]
    if piece["quote"]:
        return [Token("prime", piece["quote"])]
    return [Token(*SINGLE_SIGNS.get(piece[0], ("other", piece[0])))]


def _letters(run: str) -> Iterator[Token]:
    """A run of letters outside commands: a function, a word, or a product of names."""
    if run in FUNCTION_WORDS:
        yield Token(*FUNCTION_WORDS[run])
    elif len(run) > 1 and (_is_known(run) or run in CURRENCIES | STRUCTURES | ROMAN or _is_word(run)):
        yield Token("word", run)
    else:
        yield from (Token("name", letter) for letter in run)


def _is_known(run: str) -> bool:
    return run.lower() in KNOWN_WORDS and (run.islower() or run.isupper() or run.istitle())


def _is_word(run: str) -> bool:
    """Whether an unknown run of letters is a word rather than a product of letters."""
    if DIFFERENTIALS.fullmatch(run):
        return False
    if len(run) >= 5 or (len(run) >= 3 and (run.isupper() or TITLE.fullmatch(run))):
        return True
    return len(run) == 4 and list(run) != sorted(run)


def _command(name: str, text: str, place: int, nested: int) -> tuple[list[Token], int]:
    """Tokens of a command with the arguments that belong to it, and where the text goes on."""
    if nested > MAX_NESTED:
        raise UnreadableError
    kind, value = COMMANDS.get(name, ("other", f"\\{name}"))
    if kind == "space":
        return [], place
    if kind == "size":
        following = re.compile(r"\s*\.").match(text, place)
        return [], following.end() if following else place
    if kind == "ignored":
        return [], _skip_argument(text, place)
    if kind == "coloured":
        return _coloured(name, text, place)
    if kind in ("text", "font", "accent", "style"):
        argument, end = argument_at(text, place)
        return [*_dressed(kind, value, argument, nested)], end
    if kind in ("begin", "end"):
        argument, end = argument_at(text, place)
        if kind == "begin" and argument.strip("*") in ("array", "tabular", "alignedat"):
            end = _skip_argument(text, end)
        return [Token(kind, argument.strip().strip("*"))], end
    if kind == "not":
        return _negated(text, place)
    return [Token(kind, value)], place


def _coloured(name: str, text: str, place: int) -> tuple[list[Token], int]:
    """Colours and boxes: their options are skipped, what they dress is read as it stands."""
    if option := re.compile(r"\s*\[[^\]]*\]").match(text, place):
        return [], option.end()
    return [], place if name in ("fbox", "bbox") else _skip_argument(text, place)


def _negated(text: str, place: int) -> tuple[list[Token], int]:
    r"""``\not=`` and ``\not\equiv``."""
    piece = PIECE.match(text, place + len(text[place:]) - len(text[place:].lstrip()))
    if piece is None:
        return [Token("relation", "not")], place
    found = COMMANDS.get(piece["command"] or "", ("relation", RELATIONS.get(piece[0], "")))
    if found[0] != "relation" or not found[1]:
        return [Token("relation", "not")], place
    return [Token("relation", "!=" if found[1] == "=" else f"not {found[1]}")], piece.end()


def argument_at(text: str, place: int) -> tuple[str, int]:
    """Content of the group, or the one sign, at a place of a text, and where the text goes on behind it.

    Raises:
        UnreadableError: If there is none or its brace is never closed.
    """
    found = ARGUMENT.match(text, place)
    if found is None:
        raise UnreadableError
    if found[1]:
        return found[1], found.end()
    depth, start = 1, found.end()
    for brace in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        depth += (brace[0] == "{") - (brace[0] == "}")
        if depth == 0:
            return text[start : brace.start()], brace.end()
    raise UnreadableError


def _skip_argument(text: str, place: int) -> int:
    return argument_at(text, place)[1]


def _dressed(kind: str, value: str, argument: str, nested: int) -> Iterator[Token]:
    """Tokens of a group in a font, under an accent, or of text."""
    if kind == "text":
        yield from _text(argument, nested)
        return
    inner = [*_scan(argument, nested + 1)]
    if kind == "style":
        yield from _unit_vector(value, inner)
    elif value == "cal" and inner == [Token("name", "O")]:
        yield from inner
    elif kind == "font" and len(inner) >= 1 and all(token.kind in ("name", "word", "number") for token in inner):
        yield Token("name", f"{value} {''.join(token.text for token in inner)}")
    elif kind == "accent":
        yield from _accented(value, inner)
    else:
        yield from inner


def _unit_vector(value: str, inner: list[Token]) -> Iterator[Token]:
    """Bold letters are letters, but i, j and k are then the unit vectors."""
    if value == "bold" and len(inner) == 1 and inner[0].text in ("i", "j", "k"):
        yield Token("name", f"unit {inner[0].text}")
    else:
        yield from inner


def _accented(value: str, inner: list[Token]) -> Iterator[Token]:
    if value in ("hat", "vec") and len(inner) == 1 and inner[0].text in ("i", "j", "k", "\\imath", "\\jmath"):
        yield Token("name", "unit " + inner[0].text.removeprefix("\\")[0])
    elif value in ("hat", "vec") and len(inner) == 1 and inner[0].text.startswith("unit "):
        yield inner[0]
    elif value in ("bar", "dot") and inner and all(token.kind == "number" for token in inner):
        yield Token("repeating", "".join(token.text for token in inner))
    elif value == "bar" and len(inner) == 1 and inner[0].text in ("z", "w"):
        yield from (Token("function", "conj"), Token("open", "{"), inner[0], Token("close", "}"))
    elif value == "vec" and len(inner) == 1:
        yield from inner
    elif inner and all(token.kind in ("name", "word", "number") for token in inner):
        yield Token("name", f"{ACCENTS.get(value, value)} {''.join(token.text for token in inner)}")
    else:
        yield Token("other", value)
        yield from inner


def _text(argument: str, nested: int) -> Iterator[Token]:
    r"""Tokens of ``\text{...}``: words, and whatever stands among them."""
    place, argument = 0, HOURS.sub(r"\1m", argument)
    for word in re.finditer(r"(?<![\\A-Za-z])[A-Za-z]+(?:'[a-z]+)?", argument):
        if word.start() < place:
            continue
        yield from _scan(argument[place : word.start()], nested + 1)
        place = word.end()
        yield from _text_word(word[0])
    yield from _scan(argument[place:], nested + 1)


def _text_word(word: str) -> Iterator[Token]:
    if word in FUNCTION_WORDS and word not in ("max", "min", "arg", "det", "tr"):
        yield Token(*FUNCTION_WORDS[word])
    elif len(word) == 1 and word not in TEXT_UNITS:
        yield Token("name", word)
    else:
        yield Token("word", word)


def _without_marks(tokens: list[Token]) -> Iterator[Token]:
    r"""Tokens without the ``$`` and ``\(`` at an end or beside a separator or a word: they say nothing there."""
    free = (None, "sep", "word", "mark", "relation", "row", "colon")
    kinds = [None if token.text in ("{", "}") else token.kind for token in tokens]
    for place, token in enumerate(tokens):
        before = kinds[place - 1] if place else None
        after = kinds[place + 1] if place + 1 < len(tokens) else None
        if token.kind == "mark" and (before in free or after in free):
            continue
        if token.kind == "space":
            continue
        yield token
