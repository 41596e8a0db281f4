"""Completions that nobody wrote: real ones, or stand-ins, after some rounds of random damage around their last box."""

import random
from collections.abc import Iterator, Sequence

STAND_INS = (
    r"<think>We add.</think> The answer is \boxed{\frac{1}{2}}.", r"so \boxed{2\sqrt{3}}",
    r"\boxed{(-\infty, 5] \cup [7, 9)}",
    r"hence $x^2+1$, thus \boxed{x^{2}+1}", r"\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}", r"\boxed{\text{Yes}}",
    r"\boxed{1, 2, \text{ and } 3}", r"\boxed{f(x) = 2x \text{ for all } x}", r"\boxed{3 < x \leq 4}",
    r"\boxed{10{,}000}",
    r"\boxed{\{1 \pm \sqrt{5}\}}", r"\boxed{e^{i\pi} + 1}", r"\boxed{\sum_{k=1}^{n} k^2}", r"\boxed{12^{\text{th}}}",
)  # fmt: skip
GOLDS = ("5", "Yes", r"\frac{1}{2}", "x^2+1", "(3,4]", "1,2,3", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "f(n)=2n")
PIECES = (
    "{", "}", "(", ")", "[", "]", "\\", "^", "_", "!", "$", "%", ",", "=", ":", "<", "&", "\n", "\x00", "\ud800",
    "\u221a",
    "9", "99999", "^{9}", "^{9^9}", "e", "x", "i", r"\boxed{", r"\frac", r"\sqrt{", r"\text{", r"\left(", r"\right)",
    r"\\",
    r"\begin{pmatrix}", r"\end{pmatrix}", r"\sum_{k=1}^{99}", r"\int_0^1 ", r"\infty", r"\pm ", r"\cup ", r"\{",
    r"\}", "<think>",
    "</think>", " and ", " or ", "for all ", r"\in \mathbb{Z}", "0.", "1e9", "-", "+", "*", "**", "/", "!!", "\u0663",
)  # fmt: skip
TAIL = 60  # characters before the end within which damage is done: the last box is there


def mutated(
    rows: Sequence[tuple[str, str]], count: int, seed: int, golds: Sequence[str] = GOLDS
) -> Iterator[tuple[str, str]]:
    """``count`` damaged texts, each with its own gold or with one of another kind."""
    rng = random.Random(seed)
    for _ in range(count):
        text, gold = rng.choice(rows)
        for _ in range(rng.randrange(1, 7)):
            text = damage(text, rng)
        yield text, rng.choice((gold, gold, rng.choice(golds)))


def damage(text: str, rng: random.Random) -> str:
    """One change near the end of a text."""
    start = max(len(text) - TAIL, 0)
    first, last = sorted(rng.randint(start, len(text)) for _ in range(2))
    piece = rng.choice(PIECES)
    return rng.choice(
        (
            lambda: text[:first] + piece + text[first:],
            lambda: text[:first] + text[last:],
            lambda: text[:last] + text[first:last] * rng.choice((1, 1, 3, 30)) + text[last:],
            lambda: text[:first] + text[first:last][::-1] + text[last:],
            lambda: text[:first] + piece * rng.choice((2, 20)) + text[first:],
            lambda: text[:first] + r"\boxed{" + text[first:last] + "}" + text[last:],
        )
    )()
