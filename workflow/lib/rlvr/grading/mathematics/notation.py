r"""Right answers in signs that math-verify does not know: decoration, bare units, mixed and repeating numbers, unions.

Asked like the rules of ``rewriting``, where nothing else found an answer to be right. ``docs/grading.md`` lists them.
"""

import re
from fractions import Fraction

from rlvr.grading.mathematics.answers import TEXT_COMMAND, as_number, clean_answer, same_string
from rlvr.grading.mathematics.rewriting import JOINING_WORD, NAME, Same, matched_once

# What only looks: it is replaced wherever it stands.
DECORATIONS = (
    (re.compile(r"^(?:the\s+)?(?:final\s+)?answer\s+is\b[\s:]*", re.IGNORECASE), ""),
    (re.compile(r"\\(?:underline|mathbf|boldsymbol|bm|emph|(?:text)?color\s*\{\w+\}|(?:bf|rm|it)(?![A-Za-z]))"), ""),
    (re.compile(r"\\mathrm\s*\{([a-z])\}"), r"\1"),
    (re.compile(r"(?<!\\)~"), " "),
    (re.compile(r"\u00b0|\\degree(?![A-Za-z])"), r"^\\circ"),
    (re.compile(r"\{([:,])\}"), r"\1"),
    (re.compile(r"\u221a\s*(\d+)"), r"\\sqrt{\1}"),
    (re.compile(r"\\varnothing(?![A-Za-z])"), r"\\emptyset"),
    (re.compile(r"^(\*\*|`)(.+)\1$"), r"\2"),
    (re.compile(r"^<([^<>]+)>$"), r"(\1)"),
    (re.compile(r"(?:\\\\|\\(?:blacksquare|square|Box|checkmark)(?![A-Za-z]))\s*$"), ""),
)
VALUE = r"[+-]?\d[\d,]*(?:\.\d+)?"
UNIT = (
    r"(?:[mck]?m|mi(?:les?)?|in(?:ch(?:es)?)?|ft|feet|foot|yd|yards?|(?:centi|kilo)?met(?:er|re)s?|[mk]?g|kilograms?|lbs?"
    r"|pounds?|[mk]?L|lit(?:er|re)s?|s|sec(?:onds?)?|min(?:utes?)?|h|hours?|days?|weeks?|months?|years?|dollars?|cents?"
    r"|degrees?|units?)"
)
POWER_OF_UNIT = r"\s*(?:\^\s*\{?[23]\}?)?"
WITH_UNIT = re.compile(
    rf"({VALUE})\s*(?:(?:sq(?:uare)?|cu(?:bic)?)\.?\s+)?{UNIT}{POWER_OF_UNIT}(?:\s*/\s*{UNIT}{POWER_OF_UNIT})?"
    rf"|USD\s+({VALUE})"
)
SCIENTIFIC = re.compile(r"([+-]?\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})")
MIXED = re.compile(r"([+-]?)(\d{1,9})(?:\s|\\ )+(\d{1,9})/(\d{1,9})")
REPEATING = re.compile(r"([+-]?)(\d{0,9})\.(\d{0,9})\\(?:overline|bar|dot)\s*\{?(\d{1,9})\}?")
COMMAND = re.compile(r"\\[A-Za-z]+")
LETTER = re.compile(r"[A-Za-z]")
MIRRORED = re.compile(rf"([^=<>]*[^=<>\s])\s*=\s*({NAME})")
SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
SCALED = re.compile(rf"(?:\\?\$)?\s*({VALUE})\s*(?:\\[ ,])?\s*({'|'.join(SCALES)})(?:\s+[A-Za-z]+)?", re.IGNORECASE)
CHOICE = re.compile(r"\(?([A-H])\s*[).:]\s*(.*)", re.DOTALL)
CHOSEN = re.compile(r"\(?([A-H])\)?")
RELATIONS = {  # whether it says "greater", whether it may be equal
    "<": (False, False), r"\lt": (False, False), ">": (True, False), r"\gt": (True, False),
    r"\le": (False, True), r"\leq": (False, True), r"\leqslant": (False, True), "\u2264": (False, True),
    r"\ge": (True, True), r"\geq": (True, True), r"\geqslant": (True, True), "\u2265": (True, True),
}  # fmt: skip
RELATION = re.compile(r"(<|>|\\[lg](?:t|e|eq|eqslant)(?![A-Za-z])|\u2264|\u2265)")


def match_in_plain_notation(gold: str, answer: str, same: Same) -> bool:
    """Whether the two are equal once both are written plainly, as a union of intervals, or as the letter of a choice.

    Args:
        gold: Cleaned gold.
        answer: Cleaned answer, found different from it as it stands.
        same: The usual comparison, gold first.
    """
    plain = write_plainly(gold), write_plainly(answer)
    if as_number(plain[0]) and (united := WITH_UNIT.fullmatch(plain[1])):
        plain = plain[0], united[1] or united[2]
    if all(plain) and plain != (gold, answer) and same(*plain):
        return True
    return _same_text(gold, answer) or _same_choice(gold, answer) or _same_union(gold, answer, same)


def write_plainly(text: str) -> str:
    """The text without decoration, and one number where it is a number in an unusual notation."""
    for decoration, replacement in DECORATIONS:
        text = decoration.sub(replacement, text)
    text = clean_answer(text)
    if (scaled := write_out_scale(text)) is not None:
        return scaled
    if mixed := MIXED.fullmatch(text):
        sign, whole, top, bottom = mixed.groups()
        return rf"{sign}\frac{{{int(whole) * int(bottom) + int(top)}}}{{{bottom}}}"
    if repeating := REPEATING.fullmatch(text):
        return _as_fraction(*repeating.groups())
    if scientific := SCIENTIFIC.fullmatch(text):
        return rf"{scientific[1]} \cdot 10^{{{int(scientific[2])}}}"
    mirrored = MIRRORED.fullmatch(text)
    return f"{mirrored[2]} = {mirrored[1]}" if mirrored and not LETTER.search(COMMAND.sub("", mirrored[1])) else text


def write_out_scale(text: str) -> str | None:
    r"""``5 \text{ million}`` as a product of numbers; ``None`` without such a word."""
    scaled = SCALED.fullmatch(TEXT_COMMAND.sub(r"\1", text).strip())
    return rf"{scaled[1]} \cdot {10 ** SCALES[scaled[2].lower()]}" if scaled else None


def _as_fraction(sign: str, whole: str, fixed: str, period: str) -> str:
    """A repeating decimal exactly: 0.1(6) is 1/10 + 6/90."""
    value = Fraction(int(f"{whole}{fixed}" or "0")) + Fraction(int(period), 10 ** len(period) - 1)
    value /= 10 ** len(fixed)
    return rf"{sign}\frac{{{value.numerator}}}{{{value.denominator}}}"


def _same_text(gold: str, answer: str) -> bool:
    r"""``\text{June 20}`` is ``June 20``."""
    return same_string(*(TEXT_COMMAND.sub(r"\1", text).strip() for text in (gold, answer)))


def _same_choice(gold: str, answer: str) -> bool:
    r"""``\textbf{(C) } 5`` is the choice C; what names a second letter is no choice."""
    bare, chosen = (TEXT_COMMAND.sub(r"\1", text).strip() for text in (gold, answer))
    letter, choice = CHOSEN.fullmatch(bare), CHOICE.fullmatch(chosen)
    if letter is None or choice is None or letter[1] != choice[1]:
        return False
    return not re.search(r"(?<![A-Za-z\\])[A-H](?![A-Za-z])", choice[2])


def _same_union(gold: str, answer: str, same: Same) -> bool:
    r"""``x < 3 or x > 5`` is ``(-\infty, 3) \cup (5, \infty)``."""
    if (r"\cup" in gold) == (r"\cup" in answer):
        return False
    golds, intervals = union_of(gold), union_of(answer)
    return golds is not None and intervals is not None and matched_once(golds, intervals, same)


def union_of(text: str) -> list[str] | None:
    r"""The intervals of a union, or of inequalities in one variable that "or" joins; ``None`` for anything else."""
    if r"\cup" in text:
        return [part.strip() for part in re.sub(rf"^\s*{NAME}\s*\\in\s*", "", text).split(r"\cup")]
    plain = re.sub(r"\\(?:lor|vee)(?![A-Za-z])", " or ", TEXT_COMMAND.sub(r" \1 ", text))
    if re.search(r"(?<![A-Za-z\\])and(?![A-Za-z])", plain):
        return None
    found = [interval_of(part) for part in JOINING_WORD.split(plain)]
    known = [one for one in found if one is not None]
    return [text for _, text in known] if len(known) == len(found) and len({name for name, _ in known}) == 1 else None


def interval_of(text: str) -> tuple[str, str] | None:
    """Variable and interval of ``x < 3``, ``3 > x`` or ``1 < x <= 2``; ``None`` for anything else."""
    terms = [term.strip() for term in RELATION.split(text)]
    values, signs = terms[::2], [RELATIONS[sign] for sign in terms[1::2]]
    if signs and all(down for down, _ in signs):  # read from the right, every relation is "less"
        values, signs = values[::-1], signs[::-1]
    elif any(down for down, _ in signs):
        return None
    if len(values) == 2 and re.fullmatch(NAME, values[0]):
        values, signs = [r"-\infty", *values], [(False, False), *signs]
    elif len(values) == 2:
        values, signs = [*values, r"\infty"], [*signs, (False, False)]
    if len(values) != 3 or not re.fullmatch(NAME, values[1]) or not values[0] or not values[2]:
        return None
    opening, closing = "[" if signs[0][1] else "(", "]" if signs[1][1] else ")"
    return values[1], f"{opening}{values[0]}, {values[2]}{closing}"
