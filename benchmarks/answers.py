r"""Completions as an evaluation leaves them: many samples a problem, few different answers, one ``\boxed{}`` each.

The kinds of gold and their shares are about those of MATH-500; answers are the gold as it stands, the gold written
otherwise, or a wrong one of its kind. Everything is made from a seed; nothing is copied from a data set.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SENTENCE = r"so we get that the sum of $x^2$ is now \frac{1}{2} times the first term which gives us again"
WORDS_A_COMPLETION = 350
ALWAYS_RIGHT = 0.3  # ASSUME: share of problems whose 32 samples agree; the others have up to six answers


@dataclass(frozen=True)
class Problem:
    """A gold, right answers in other forms, and wrong ones."""

    gold: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


def steps(rng: np.random.Generator) -> list[int]:
    """Draw by how much four wrong answers are off."""
    return rng.choice(np.arange(1, 40), 4, replace=False).tolist()


def integer(rng: np.random.Generator) -> Problem:
    """An integer; with a thousands separator, as a decimal, with its name."""
    value = int(rng.integers(-200, 5000))
    wrong = tuple(str(value + step) for step in steps(rng))
    return Problem(str(value), (str(value), f"{value:,}", f"{value}.0", rf"x = {value}"), wrong)


def fraction(rng: np.random.Generator) -> Problem:
    """A fraction."""
    top, bottom = int(rng.integers(1, 40)), int(rng.integers(2, 40)) * 2 + 1
    wrong = tuple(rf"\frac{{{top + step}}}{{{bottom}}}" for step in steps(rng))
    return Problem(rf"\frac{{{top}}}{{{bottom}}}", (rf"\dfrac{{{top}}}{{{bottom}}}", f"{top}/{bottom}"), wrong)


def radical(rng: np.random.Generator) -> Problem:
    """A multiple of a square root."""
    factor, root = int(rng.integers(2, 12)), int(rng.choice([2, 3, 5, 6, 7, 11, 13]))
    whole = rf"\sqrt{{{factor * factor * root}}}"
    wrong = tuple(rf"{factor + step}\sqrt{{{root}}}" for step in steps(rng))
    return Problem(rf"{factor}\sqrt{{{root}}}", (rf"{factor} \sqrt{{{root}}}", whole), (*wrong, rf"\sqrt{{{root}}}"))


def multiple_of_pi(rng: np.random.Generator) -> Problem:
    """A rational multiple of pi."""
    top, bottom = int(rng.integers(1, 30)), int(rng.integers(2, 13))
    wrong = tuple(rf"\frac{{{top + step}\pi}}{{{bottom}}}" for step in steps(rng))
    return Problem(rf"\frac{{{top}\pi}}{{{bottom}}}", (rf"\frac{{{top}}}{{{bottom}}}\pi",), wrong)


def pair(rng: np.random.Generator) -> Problem:
    """A point of the plane."""
    first, second = rng.integers(-30, 30, 2).tolist()
    wrong = tuple(f"({first + step}, {second})" for step in steps(rng))
    return Problem(f"({first},{second})", (f"({first}, {second})", rf"\left({first}, {second}\right)"), wrong)


def half_line(rng: np.random.Generator) -> Problem:
    """An interval without an upper end."""
    end = int(rng.integers(-30, 30))
    wrong = (rf"[{end}, \infty)", rf"(-\infty, {end})", rf"({end + 1}, \infty)")
    return Problem(rf"({end},\infty)", (rf"({end}, \infty)", rf"\left({end}, \infty\right)"), wrong)


def polynomial(rng: np.random.Generator) -> Problem:
    """A quadratic polynomial."""
    first, second, third = rng.integers(1, 30, 3).tolist()
    wrong = tuple(f"{first}x^2 + {second + step}x + {third}" for step in steps(rng))
    gold = f"{first}x^2+{second}x+{third}"
    return Problem(gold, (f"{first}x^2 + {second}x + {third}", f"{third} + {second}x + {first}x^2"), wrong)


def text(rng: np.random.Generator) -> Problem:
    """A word."""
    names = rng.permutation(["Evelyn", "Monday", "ellipse", "east", "even", "odd"]).tolist()
    return Problem(rf"\text{{{names[0]}}}", (names[0], rf"\text{{{names[0].lower()}}}"), tuple(names[1:4]))


def exponential(rng: np.random.Generator) -> Problem:
    """A problem whose right answers only computer algebra recognises: factor times e to a power, unlike typings."""
    factor, power = rng.integers(2, 30, 2).tolist()
    wrong = tuple(rf"{factor + step}e^{{{power}}}" for step in steps(rng))
    return Problem(rf"{factor}e^{{{power}}}", (rf"{factor} e^{{{power}}}", rf"{factor} \cdot e^{{{power}}}"), wrong)


KINDS: dict[Callable[[np.random.Generator], Problem], float] = {
    integer: 0.62, fraction: 0.11, radical: 0.06, multiple_of_pi: 0.03, pair: 0.06, half_line: 0.02, polynomial: 0.05,
    exponential: 0.02, text: 0.03,
}  # fmt: skip


def make_completions(problems: int, samples: int, seed: int = 0) -> list[tuple[str, str]]:
    """Text and gold of every sample, problem by problem."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(np.array(list(KINDS), dtype=object), problems, p=list(KINDS.values()))
    return [row for kind in kinds for row in _sampled(kind(rng), samples, rng)]


def _sampled(problem: Problem, samples: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Samples of one problem: some answers are given often, some once."""
    answers = [problem.gold, *problem.right[: int(rng.integers(0, 3))]]
    if rng.random() > ALWAYS_RIGHT:
        answers += problem.wrong[: int(rng.integers(1, 5))]
    weights = rng.dirichlet(np.full(len(answers), 0.7))
    words = rng.choice(SENTENCE.split(), (samples, WORDS_A_COMPLETION))
    chosen = rng.choice(np.array(answers, dtype=object), samples, p=weights)
    texts = (rf"{' '.join(before)} so \boxed{{{answer}}}." for before, answer in zip(words, chosen, strict=True))
    return [(text, problem.gold) for text in texts]


def make_hostile(count: int) -> list[tuple[str, str]]:
    """Answers that are made to stop a grader, each another one, beside an honest gold."""
    shapes: tuple[Callable[[int], str], ...] = (
        lambda n: rf"9^{{9^{{9^{{{n + 9}}}}}}}",
        lambda n: f"({n + 10_000_000})!",
        lambda n: rf"\binom{{{n + 10_000_000}}}{{{n + 5_000_000}}}",
        lambda n: f"{n}" + "9" * 200_000,
        lambda n: "(" * 300 + f"{n}" + ")" * 300,
        lambda n: f"x + {n}" + " and so on" * 100_000,
        lambda n: rf"\sum_{{k=1}}^{{{n + 10_000_000}}} k^k",
        lambda n: f"(x+y+z+{n + 1})^{{60}}",
        lambda n: rf"\frac{{{n}}}{{\sqrt{{{n} + \left(}}",
        lambda n: "{" + ",".join(str(n + step) for step in range(3000)) + "}",
    )
    return [(rf"so \boxed{{{shapes[n % len(shapes)](n)}}}", "x+1") for n in range(count)]
