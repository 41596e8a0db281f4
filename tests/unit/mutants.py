r"""Wrong answers made from right ones: what a policy might write to be right whatever it says.

Each maker takes a gold and gives an answer that says something else, or ``None`` where it does not apply.
``is_equivalence`` knows the few that are right after all.
"""

import re
from collections.abc import Callable, Iterator

OTHER = "7777"
LETTER = re.compile(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")
COMMAND = re.compile(r"\\[A-Za-z]+|\\.")
TEN = re.compile(r"(.*10\^\{?)-(\d+)(\}?)|(.*\d[eE])-(\d+)")
CAPITALS = re.compile(r"(?<![A-Za-z\\_{])([A-Z])([A-Z])(?![A-Za-z_^'])")

AROUND: dict[str, str] = {
    "two guesses, first": r"{}\text{{ a}} = 7777\text{{ b}}", "two guesses, second": r"7777\text{{ a}} = {}\text{{ b}}",
    "or": r"{} \text{{ or 7777}}", "or outside": r"{} or 7777", "and": r"{} \text{{ and }} 7777",
    "is wrong": r"{}\text{{ is wrong}}",
    "squared": r"{}\text{{ squared}}", "dozen": r"{}\text{{ dozen}}", "row before": r"7777 \\ {}",
    "row behind": r"{} \\ 7777",
    "inner math": r"7777 \( {} \)", "inner box": r"7777 \fbox{{{}}}", "inner dollars": "7777 ${}$",
    "negated name": "-x = {}",
    "squared name": "x^2 = {}", "limit": r"x \to {}", "divides": r"n \mid {}", "not": r"\not {}", "unequal": "!= {}",
    "name unequal": r"x \neq {}", "up to": r"\text{{up to }} {}", "anything but": r"\text{{anything but }} {}",
    "multiples": r"\text{{multiples of }} {}", "not in words": r"\text{{not }} {}", "half": r"\text{{half of }} {}",
    "list": "{}, 7777",
    "set": r"\{{{}, 7777\}}", "plus or minus": r"{} \pm 7777",
    "condition": r"{} \text{{ if }} x > 0, 7777 \text{{ otherwise}}",
    "unlike": r"\text{{unlike }} {}", "possibly": r"{} \text{{ (possibly 7777)}}", "similar": r"x \sim {}",
    "arrow": r"7777 \to {}",
    "equal to another": "7777 = {}", "name between": "{} = x = 7777", "cubed root": r"\text{{cube root of }} {}",
    "product": "7777 ({})",
}  # fmt: skip


# The text behind the letter of a choice is the problem's, not the gold's: nothing can check it.
CHANGED_CHOICES = frozenset({"two guesses, first"})
CHOICE = re.compile(r"[($]*\\?(?:text\w*|mathrm|mathbf)?\s*\{?\(?\s*[A-H]\s*\)?\}?[)$]*")
ZERO = re.compile(r"(?<![\d.])0\s*$")


def is_equivalence(name: str, gold: str) -> bool:
    """Whether a mutant of that name says what its gold says.

    ``... = 0t`` is ``... = 0``, a multiple of zero is zero, letters of digits and the e of a
    power of ten have no case, ``n = N`` is ``N = n``, and what stands behind the letter of a choice is its text.
    """
    digits = COMMAND.sub("", gold).replace("{pmatrix}", "").replace("{bmatrix}", "")
    left, _, right = (part.strip("$ ") for part in gold.partition("="))
    return (
        (name in CHANGED_CHOICES and CHOICE.fullmatch(gold) is not None)
        or (name == "letter_behind" and ZERO.search(gold) is not None)
        or (name in ("inner box", "product") and not re.search(r"[1-9A-Za-z]", digits))
        or (name == "swapped_case" and re.fullmatch(r"[0-9A-Fa-f]+_\{?\d+\}?", gold) is not None)
        or (name == "swapped_case" and left.swapcase() == right)
        or (name == "swapped_case" and re.fullmatch(r"[+-]?\d+(?:\.\d+)?e[+-]?\d+", gold) is not None)
    )


def wrong_mutants(gold: str) -> Iterator[tuple[str, str]]:
    """Names and texts of every mutant that applies to a gold."""
    for name, form in AROUND.items():
        yield name, form.format(gold)
    for maker in MAKERS:
        mutant = maker(gold)
        if mutant is not None and mutant != gold:
            yield maker.__name__, mutant


def letter_behind(gold: str) -> str | None:
    """``3x+2t`` for ``3x+2``."""
    return f"{gold}t" if re.search(r"[A-Za-z]", COMMAND.sub("", gold)) and gold[-1:].isdigit() else None


def without_prime(gold: str) -> str | None:
    """``h'(b)`` for ``h''(b)``."""
    return gold.replace("'", "", 1) if re.search(r"[A-Za-z)]'", gold) else None


def without_gcd(gold: str) -> str | None:
    """1 for a gcd of letters."""
    return re.sub(r"\\gcd\s*\([^()]*\)", "1", gold) if r"\gcd" in gold else None


def without_transpose(gold: str) -> str | None:
    """``A`` for ``A^T``."""
    return re.sub(r"\^\{?T\}?(?![A-Za-z])", "", gold) if re.search(r"\^\{?T\}?(?![A-Za-z])", gold) else None


def reversed_capitals(gold: str) -> str | None:
    """``BA = BA`` for ``AB = BA``."""
    found = CAPITALS.search(gold)
    return gold[: found.start()] + found[2] + found[1] + gold[found.end() :] if found and found[1] != found[2] else None


def swapped_case(gold: str) -> str | None:
    """Every single letter of an expression in the other case, where it holds one."""
    if r"\text" in gold or re.search(r"[A-Za-z]{3,}", COMMAND.sub("", gold)) or len(gold) < 3:
        return None
    parts = re.split(r"(\\[A-Za-z]+|\\.)", gold)
    return "".join(
        part if part.startswith("\\") else LETTER.sub(lambda letter: letter[0].swapcase(), part) for part in parts
    )


def another_power_of_ten(gold: str) -> str | None:
    """``10^{-20}`` for ``10^{-19}``."""
    found = TEN.fullmatch(gold)
    if not found:
        return None
    return f"{found[1]}-{int(found[2]) + 1}{found[3]}" if found[1] else f"{found[4]}-{int(found[5]) + 1}"


def opposite(gold: str) -> str | None:
    """The other sign of a number."""
    if not re.fullmatch(r"-?(?:\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\})", gold) or re.fullmatch(r"-?0+(?:\.0+)?", gold):
        return None
    return gold[1:] if gold.startswith("-") else f"-{gold}"


def tiny_is_nothing(gold: str) -> str | None:
    """0 for a small number."""
    return "0.0" if TEN.fullmatch(gold) else None


MAKERS: tuple[Callable[[str], str | None], ...] = (
    letter_behind, without_prime, without_gcd, without_transpose, reversed_capitals, swapped_case,
    another_power_of_ten, opposite,
    tiny_is_nothing,
)  # fmt: skip
