"""Where tokens are divided: outside all brackets, at the brackets around the whole, and behind a label."""

from rlvr.grading.mathematics.cursor import CLOSING
from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError
from rlvr.grading.mathematics.syntax import parse
from rlvr.grading.mathematics.words import COUNT_NOUNS, LABEL_WORDS


def split(tokens: Tokens, *kinds: str) -> tuple[list[Tokens], list[Token]]:
    """Parts of tokens between those of some kinds outside all brackets and environments, and what separates them."""
    parts, signs, start = [], [], 0
    for place, token in outer(tokens):
        if token.kind in kinds:
            parts.append(tokens[start:place])
            signs.append(token)
            start = place + 1
    return [*parts, tokens[start:]], signs


def outer(tokens: Tokens) -> list[tuple[int, Token]]:
    """Tokens outside all brackets and environments, with their places."""
    found, depth, bars = [], 0, 0
    for place, token in enumerate(tokens):
        if token.kind in ("open", "begin"):
            depth += 1
        elif token.kind in ("close", "end"):
            depth -= 1
        elif depth == 0:
            found.append((place, token))
        if depth == 0 and token.kind == "bar":
            bars += 1
    return found


def wrapped(tokens: Tokens) -> tuple[str, Tokens, str]:
    """Brackets around the whole and what they hold; nothing and the tokens where there are none."""
    first, last = tokens[0], tokens[-1]
    french = first in (Token("close", "]"), Token("open", "["), Token("open", "(")) and last in (
        Token("open", "["),
        Token("close", "]"),
        Token("close", ")"),
    )
    if (
        len(tokens) > 2
        and french
        and (first.kind == "close" or last.kind == "open")
        and not any(token.text in ("[", "]") for token in tokens[1:-1])
    ):
        return {"]": "(", "[": "[", "(": "("}[first.text], tokens[1:-1], {"[": ")", "]": "]", ")": ")"}[last.text]
    if len(tokens) < 2 or first.kind != "open" or last.kind != "close" or first.text not in CLOSING:
        return "", tokens, ""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0:
            return (first.text, tokens[1:-1], last.text) if place == len(tokens) - 1 else ("", tokens, "")
    return "", tokens, ""


OF_LABELS = frozenset({"of", "the", "total", "ways", "for"})


def label_of(tokens: Tokens, tokens_of_value: Tokens = ()) -> tuple[str, str, bool] | None:
    r"""Name and argument of a label: one name, ``f(x)``, ``AB`` before a number, or words like ``Area``."""
    while len(tokens) > 2 and wrapped(tokens)[0] == "{":
        tokens = tokens[1:-1]
    if not tokens:
        return None
    if (
        tokens_of_value
        and _is_segment(tokens)
        and (len(tokens) > 1 or tokens[0].kind == "word")
        and _is_numeric(tokens_of_value)
    ):
        return " ".join(token.text for token in tokens), "", False
    if all(token.kind in ("word", "name") or token.text in ("'",) for token in tokens) and any(
        token.kind == "word" for token in tokens
    ):
        words = [token.text.casefold() for token in tokens]
        known = any(word in LABEL_WORDS for word in words) and all(
            word in LABEL_WORDS | COUNT_NOUNS | OF_LABELS or token.text.isupper()
            for word, token in zip(words, tokens, strict=True)
        )
        known = known and len(words) <= 5
        return (" ".join(words), "", True) if known else None
    try:
        tree = parse(tokens)
    except UnreadableError:
        return None
    if tree[0] == "name" and not tree[1].startswith("bb "):
        return tree[1], "", False
    if tree[0] == "call" and str(tree[1]).startswith("conjugate") and tree[2][0][0] == "name":
        return f"{tree[2][0][1]} {tree[1]}", "", False
    if tree[0] == "index":
        return f"{tree[1]}_{' '.join(tree[2])}", "", False
    if tree[0] == "call" and isinstance(tree[1], tuple) and len(tree[2]) >= 1:
        arguments = " ".join(token.text for token in tokens[1:])
        single = tree[2][0][1] if len(tree[2]) == 1 and tree[2][0][0] == "name" else ""
        name = tree[1][1] + ("_" + " ".join(tree[1][2]) if tree[1][0] == "index" else "")
        return (name if single else f"{name} {arguments}"), single, False
    return None


def _is_segment(tokens: Tokens) -> bool:
    r"""Whether tokens are names of geometry: ``AB``, ``\angle ABC``, ``[ABC]``."""
    if tokens[:2] == (Token("name", "m"), Token("name", "\\angle")):
        tokens = tokens[1:]
    bare = [token for token in tokens if token.text not in ("\\angle", "\\triangle", "[", "]")]
    return 1 <= len(bare) <= 5 and all(
        (token.kind == "name" and token.text.isupper() and token.text != "I")
        or (token.kind == "word" and token.text.isupper())
        for token in bare
    )


def _is_numeric(tokens: Tokens) -> bool:
    return not any(token.kind in ("name", "word") for token in tokens)
