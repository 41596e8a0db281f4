r"""Answers as people write them: cleaning, text answers, and numbers that need no computer algebra.

Everything here is linear in the length of the answer and imports nothing heavy.
"""

import re
from fractions import Fraction

from rlvr.grading.mathematics.signs import ASCII

MATH_DELIMITERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
# Spaces that separate nothing: not two words or commands, not the numbers of a list (1, 234 is not 1,234).
INNER_SPACE = re.compile(r"(?<![\w,])\s+|\s+(?!\w)|(?<=,)\s+(?!\d)")
TEXT_COMMAND = re.compile(r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it)|mbox|operatorname)\s*\{([^{}]*)\}")
WORDS = re.compile(r"[a-z]{2,}(?:[ -][a-z]+)*")
EMPHASIS = re.compile(r"(\*\*|__|`|\"|')((?:(?!\1).)+)\1", re.DOTALL)
LOGIC_WORDS = frozenset({"yes", "no", "true", "false"})

NUMBER = re.compile(r"([+-]?)((?:[1-9]\d{0,2}(?:(?:,|\{,\}|,\\!)\d{3})+|\d+)(?:\.\d+)?|\.\d+)", re.ASCII)
FRACTIONS = (
    re.compile(r"([+-]?)\\[dtc]?frac\{(-?\d+)\}\{(\d+)\}", re.ASCII),
    re.compile(r"([+-]?)\\[dtc]?frac(\d)(\d)", re.ASCII),
    re.compile(r"([+-]?)(\d+)/(\d+)", re.ASCII),
)
MAX_EXACT_CHARS = 15  # longer decimals may be roundings of something exact: they are left to the full comparison
SURELY_DIFFERENT = Fraction(1, 10**5)  # a rounded decimal of six places is closer to what it stands for


def clean_answer(answer: str) -> str:
    """The answer without what carries no meaning: outer spaces, emphasis, math delimiters, one full stop at the end."""
    cleaned = (answer if answer.isascii() else answer.translate(ASCII)).strip()
    if emphasised := EMPHASIS.fullmatch(cleaned):
        return clean_answer(emphasised[2])
    if cleaned.endswith(".") and not cleaned.endswith(".."):
        cleaned = cleaned[:-1].rstrip()
    for opening, closing in MATH_DELIMITERS:
        inner = cleaned[len(opening) : -len(closing)]
        if cleaned.startswith(opening) and cleaned.endswith(closing) and inner.strip() and opening not in inner:
            return clean_answer(inner)
    return cleaned


def same_string(gold: str, answer: str) -> bool:
    """Whether two cleaned answers are one string, up to spaces that separate nothing."""
    return gold == answer or INNER_SPACE.sub("", gold) == INNER_SPACE.sub("", answer)


def as_words(answer: str) -> str | None:
    r"""An answer that is plain text in one canonical form, or ``None`` when it is anything else.

    Case, emphasis, ``\text{}`` and parentheses around the whole do not matter: ``\text{Odd}``, ``**odd**`` and
    ``(odd.)`` are one answer. Single letters are left to the full comparison, which ignores their case, too, but
    keeps the imaginary unit apart from a capital I.
    """
    text = TEXT_COMMAND.sub(r"\1", answer).strip().strip("*").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    text = " ".join(text.removesuffix(".").split()).casefold()
    return text if WORDS.fullmatch(text) else None


def same_words(gold: str, answer: str) -> bool | None:
    """Whether two cleaned answers are the same text; ``None`` where one may be something else than words.

    Letters that may be a product (``ab``) are left to the full comparison. Nothing but the word itself is Yes, No, True
    or False.
    """
    gold_words, answer_words = as_words(gold), as_words(answer)
    if gold_words is None or answer_words is None or not (is_prose(gold_words) and is_prose(answer_words)):
        return None
    if gold_words == answer_words:
        return True
    return False if gold_words in LOGIC_WORDS else None


def is_prose(words: str) -> bool:
    """Whether text in lower case is made of words, not of products of letters."""
    return any(len(word) >= 5 or word in LOGIC_WORDS for word in words.split())


def as_number(answer: str) -> tuple[Fraction, bool] | None:
    r"""Value of an integer, decimal or simple fraction, and whether it was written as a decimal.

    Args:
        answer: A cleaned answer: ``-3``, ``1,000``, ``2.50``, ``1/2``, ``-\frac{1}{2}``, ``\frac12``.

    Returns:
        The exact value, or ``None`` when the answer is not of such a form or too long to be read exactly.
    """
    if len(answer) > 4 * MAX_EXACT_CHARS:
        return None
    compact = INNER_SPACE.sub("", answer)
    if number := NUMBER.fullmatch(compact):
        digits = re.sub(r"[{},!\\]", "", number[2])
        decimal = "." in digits
        too_long = decimal and len(digits) > MAX_EXACT_CHARS
        return None if too_long else (Fraction(number[1] + digits), decimal)
    for form in FRACTIONS:
        if (fraction := form.fullmatch(compact)) and int(fraction[3]) != 0:
            return Fraction(int(fraction[2]), int(fraction[3])) * int(fraction[1] + "1"), False
    return None


def same_number(gold: str, answer: str) -> bool | None:
    """Whether two cleaned answers are the same number; ``None`` leaves the decision to the full comparison.

    Numbers without a decimal point are compared exactly. Next to a decimal, equal values are the same and values
    further apart than 1e-5 differ; what lies between (0.333333 for 1/3) is for the full comparison to round.
    """
    first, second = as_number(gold), as_number(answer)
    if first is None or second is None:
        return None
    difference = abs(first[0] - second[0])
    if difference == 0:
        return True
    either_decimal = first[1] or second[1]
    return None if either_decimal and difference < SURELY_DIFFERENT else False


def vote_key(answer: str) -> str:
    """Key under which majority voting counts an answer: equal numbers, equal text, or the text without idle spaces."""
    cleaned = clean_answer(answer)
    number = as_number(cleaned)
    if number is not None:
        return str(number[0])
    return as_words(cleaned) or INNER_SPACE.sub("", cleaned)
