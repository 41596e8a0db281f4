r"""Right answers in forms that math-verify does not know, by general rules of notation.

Asked only where math-verify said "different". Each rule rewrites the answer, or both sides, into something that is
then compared as usual; none knows what the problem was. ``docs/grading.md`` lists them with examples.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from rlvr.grading.mathematics.answers import clean_answer
from rlvr.grading.mathematics.lists import split_top_level, unwrap

Same = Callable[[str, str], bool]

TEXT = re.compile(r"\\(?:text|mbox|mathrm|textrm|textbf)\s*\{([^{}]*)\}")
JOINING_WORD = re.compile(r"(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])")
# Words that change a number: whoever writes one means something else than the number beside it.
MEANINGFUL = re.compile(
    r"\b(?:hundred|thousand|(?:m|b|tr)illion|dozen|hal(?:f|ves)|thirds?|quarters?|percent(?:age)?|not?|none|except|minus|"
    r"negative|plus|times|over|squared|cubed|pi|infinity|less|more|than|least|most|about|undefined|zero|one|two|three|"
    r"four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)
QUANTIFIER = re.compile(
    r"(?:\\text\s*\{\s*,?\s*(?:where\s+)?for\s+(?:all|every|any|each)\b[^{}]*\}|\\forall|\bfor\s+(?:all|every|any|each)\b)"
    r"[^,;]*?(?=,|;|\\text|$)"
)
INTEGER_INDEX = re.compile(r",?\s*\(?\s*[jklmn]\s*\\in\s*(?:\\mathbb\s*\{?\s*Z\s*\}?|\\Z|Z)\s*\)?\s*$")
NAME = r"(?:[A-Za-z]|\\[a-z]+)(?:_(?:\w|\{[^{}]*\}))?'*"
LABELS = (
    re.compile(rf"(?:{NAME}|[A-Za-z]+|{NAME}\s*\([\w\s]*\))\s*=(?!=)\s*([^=]+)"),
    re.compile(r"[A-Za-z][A-Za-z' ]+\d*\s*:(?!=)\s*([^:=]+)"),
)
FUNCTION = re.compile(r"([A-Za-z])\s*\(\s*([A-Za-z])\s*\)\s*=\s*([^=]+)")
PERCENT = re.compile(r"(.*[^\s\\])\s*(?:\\?%|\\text\s*\{\s*percent\s*\}|\s[Pp]ercent)", re.DOTALL)
ORDINAL = re.compile(r"(-?\d+)\s*\^?\s*\{?\s*(?:\\(?:text|mathrm|rm)\s*\{?)?\s*(?:st|nd|rd|th)\s*\}?\s*\}?")
COLUMN = re.compile(r"\\begin\s*\{([pbv]?matrix)\}(.*)\\end\s*\{\1\}", re.DOTALL)
RELATION = re.compile(r"<|>|\\(?:leq?|geq?|lt|gt)(?![A-Za-z])")
LETTER = re.compile(r"\\[A-Za-z]+|[A-Za-z]")
DIGIT = re.compile(r"\d")
NUMBER_AND_UNIT = re.compile(r"\s*(-?\d[\d.,/]*)\s+[A-Za-z. ]+")
NUMBERED = re.compile(r"\s*[A-Za-z][A-Za-z' ]*\d+\s*:?\s*")
PERIODIC = re.compile(r"\\pi|\\circ|\\degree")
INDEX_LETTERS = frozenset("jklmn")


def match_rewritten(gold: str, answer: str, same: Same) -> bool:
    """Whether some rule makes the two equal.

    Args:
        gold: Cleaned gold.
        answer: Cleaned answer, found different from it as it stands.
        same: The usual comparison, gold first.
    """
    return any(rule(gold, answer, same) for rule in RULES)


def is_interval(gold: str) -> bool:
    """Whether a gold can only be a set of real numbers: not the pair ``(1, 2)``."""
    opening, inner, closing = unwrap(gold)
    return r"\cup" in gold or (len(split_top_level(inner)) == 2 and (opening + closing != "()" or r"\infty" in inner))


def holds_relation(answer: str) -> bool:
    """Whether an answer is written with an order relation."""
    return RELATION.search(answer) is not None


def as_ordinal(gold: str, answer: str, same: Same) -> bool:
    """``12^{th}`` is the number 12."""
    number = ORDINAL.fullmatch(answer)
    return number is not None and same(gold, number[1])


def as_percentage(gold: str, answer: str, same: Same) -> bool:
    """The sign may be left out on either side; that 50 % is 0.5, too, math-verify knows."""
    first, second = PERCENT.fullmatch(gold), PERCENT.fullmatch(answer)
    if (first is None) == (second is None):
        return False
    return same(first[1] if first else gold, second[1] if second else answer)


def as_items(gold: str, answer: str, same: Same) -> bool:
    """Labels, units and "for all x" beside the entries of an answer say nothing that the gold denies.

    A label of the answer goes where the gold has none, and the other way round; entries are compared without order,
    each once.
    """
    items, golds = items_of(answer), [clean_answer(one) for one in split_top_level(gold, ",;")]
    if items is None or len(items) != len(golds):
        return False
    if items == split_top_level(answer, ",;") and not any(map(without_label, (*golds, *items))):
        return False  # nothing to leave out: they have been compared
    return matched_once(golds, items, lambda one, other: _same_item(one, other, same))


def with_renamed_argument(gold: str, answer: str, same: Same) -> bool:
    """``f(n) = 2n`` and ``f(m) = 2m`` are one function."""
    first, second = FUNCTION.fullmatch(gold), FUNCTION.fullmatch(answer)
    if first is None or second is None or first[1] != second[1] or first[2] == second[2]:
        return False
    renamed = rename(second[3], second[2], first[2])
    return renamed is not None and same(first[3], renamed)


def with_renamed_index(gold: str, answer: str, same: Same) -> bool:
    r"""The integer of a periodic solution may have any name: ``\pi k`` is ``n \pi``."""
    gold, answer = INTEGER_INDEX.sub("", gold), INTEGER_INDEX.sub("", answer)
    names, others = _letters(gold) & INDEX_LETTERS, _letters(answer) & INDEX_LETTERS
    golds, answers = split_top_level(gold), split_top_level(answer)
    if len(names) != 1 or len(others) != 1 or len(golds) != len(answers):
        return False
    (name,), (other,) = names, others
    if not all(PERIODIC.search(one) and other in _letters(one) for one in answers):
        return False
    renamed = answers if name == other else [rename(one, other, name) for one in answers]
    return matched_once(golds, [one for one in renamed if one], lambda one, item: _same_item(one, item, same))


def as_vector(gold: str, answer: str, same: Same) -> bool:
    """A column or row of a matrix is the tuple of its entries, in their order."""
    entries, others = vector_entries(gold), vector_entries(answer)
    if entries is None or others is None or len(entries) != len(others):
        return False
    return all(same(one, other) for one, other in zip(entries, others, strict=True))


RULES = (as_ordinal, as_percentage, as_items, with_renamed_argument, with_renamed_index, as_vector)


def items_of(answer: str) -> list[str] | None:
    r"""Entries of an answer, without words and quantifiers; ``None`` where a word changes what is said.

    ``(f, g) = (1, 2)`` is the entries ``f = 1`` and ``g = 2``.
    """
    if any(MEANINGFUL.search(text) or _hides_number(text) for text in TEXT.findall(answer)):
        return None
    plain = TEXT.sub(_joined_or_blank, QUANTIFIER.sub(" ", answer))
    parts = split_top_level(JOINING_WORD.sub(",", plain).replace("\\ ", " "), ",;")
    return [item for part in parts if part for item in _equations(clean_answer(part))]


def _joined_or_blank(text: re.Match[str]) -> str:
    r"""What stands for words: a comma where they join entries, the number of ``\text{204 minutes}``, else nothing."""
    if JOINING_WORD.search(text[1]):
        return " , "
    number = NUMBER_AND_UNIT.fullmatch(text[1])
    return number[1] if number else " "


def _hides_number(text: str) -> bool:
    """Whether a number would be lost with the words: ``from 4 to``; not the 2 of the label ``Sequence 2:``."""
    told = JOINING_WORD.search(text) is None and (NUMBER_AND_UNIT.fullmatch(text) or NUMBERED.fullmatch(text))
    return DIGIT.search(text) is not None and not told


def _equations(item: str) -> list[str]:
    """The equations of an equation between tuples, else the item itself."""
    left, equals, right = item.partition("=")
    (opening, names, _), (other_opening, values, _) = unwrap(left), unwrap(right)
    if equals and opening == other_opening == "(":
        pairs = list(zip(split_top_level(names), split_top_level(values), strict=False))
        if len(pairs) == len(split_top_level(names)) == len(split_top_level(values)):
            return [f"{name} = {value}" for name, value in pairs]
    return [item]


def _same_item(gold: str, item: str, same: Same) -> bool:
    """Compare as they stand, or without the label that only one of them has."""
    labelled, unlabelled = without_label(gold), without_label(item)
    if labelled is None and unlabelled is not None:
        return same(gold, unlabelled)
    if labelled is not None and unlabelled is None:
        return same(labelled, item)
    return same(gold, item)


def without_label(item: str) -> str | None:
    """What a label is put before (``w = 16``, ``T(10) = 2``, ``Minimum: 1``), or ``None`` without a label."""
    found = next((label for form in LABELS if (label := form.fullmatch(item))), None)
    return None if found is None else found[1].strip()


def matched_once(golds: Sequence[str], items: Sequence[str], same: Same) -> bool:
    """Whether the two hold the same entries, each as often, in any order."""
    left = list(items)
    for gold in golds:
        found = next((place for place, item in enumerate(left) if same(gold, item)), None)
        if found is None:
            return False
        del left[found]
    return not left


def rename(text: str, old: str, new: str) -> str | None:
    """The text with another letter for a variable; ``None`` if that letter has a meaning there already."""
    if new in _letters(text):
        return None
    return LETTER.sub(lambda token: f"{{{new}}}" if token[0] == old else token[0], text)


def _letters(text: str) -> set[str]:
    """Letters outside commands."""
    return {token for token in LETTER.findall(text) if len(token) == 1}


def vector_entries(text: str) -> list[str] | None:
    r"""Entries of ``(a, b)`` or of a matrix with one column or one row, else ``None``."""
    matrix = COLUMN.fullmatch(text)
    if matrix is None:
        opening, inner, closing = unwrap(text.replace(r"\langle", "(").replace(r"\rangle", ")"))
        return split_top_level(inner) if opening + closing == "()" else None
    rows = [row.strip() for row in _rows(matrix[2])]
    if len(rows) > 1 and not any("&" in row for row in rows):
        return rows
    return [entry.strip() for entry in rows[0].split("&")] if len(rows) == 1 else None


def _rows(body: str) -> Iterator[str]:
    r"""Rows of a matrix between ``\\``, without a last empty one."""
    return (row for row in re.split(r"\\\\(?:\[[^\]]*\])?", body) if row.strip())
