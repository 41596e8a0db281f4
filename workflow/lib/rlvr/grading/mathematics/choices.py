r"""The letter of a choice: ``\textbf{(C) } 5`` is C, ``(C) is wrong`` is nothing."""

import re

from rlvr.grading.mathematics.words import DENYING

DRESSING = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:rm|bf|sf|it)|mbox|boldsymbol)\s*\{([^{}]*)\}")
LETTER = re.compile(r"\(?\s*([A-H])\s*\)?\s*[.:]?")
CHOICE = re.compile(r"\(?\s*([A-H])\s*(?:\)\s*[.:]?|[.:]|\s-\s)\s*(.*)", re.DOTALL)
OTHER = re.compile(r"(?<![A-Za-z\\])([A-J])(?![A-Za-z])|\(\s*([a-j])\s*\)|(?:or|and|also|maybe)\s+([a-j])(?![A-Za-z])")
CHANGING = frozenset({"squared", "cubed", "dozen", "if", "otherwise", "unless", "squares", "half", "twice", "excluded"})
GOES_ON = re.compile(r"[,;=/+<>^_!?|]|\\\\|\\(?:pm|mp|times|cdot|neq?|to|cup|fbox)(?![A-Za-z])")
SPACING = re.compile(r"\\(?:q?quad(?![A-Za-z])|[,;:! ])\s*$")
WORD = re.compile(r"[A-Za-z][A-Za-z']*")


def undressed(text: str) -> str:
    """The text without commands of fonts."""
    while (plain := DRESSING.sub(r"\1", text)) != text:
        text = plain
    return SPACING.sub("", text).strip()


def letter_of(text: str) -> str | None:
    """The letter of a gold that is one choice."""
    found = LETTER.fullmatch(undressed(text))
    return found[1] if found else None


def chooses(answer: str, letter: str) -> bool | None:
    """Whether an answer names that choice and no other; ``None`` if it does not begin like a choice."""
    bare = undressed(answer)
    alone = LETTER.fullmatch(bare.upper()) if len(bare) <= 4 else None
    if alone:
        return alone[1] == letter
    found = CHOICE.fullmatch(bare)
    if found is None:
        return None
    words = [word.casefold() for word in WORD.findall(found[2])]
    if found[1] != letter or any(word in DENYING | CHANGING for word in words) or GOES_ON.match(found[2]):
        return False
    others = {one for match in OTHER.finditer(found[2]) for one in match.groups() if one}
    return not others or (others == {"A"} and len(words) > 3)
