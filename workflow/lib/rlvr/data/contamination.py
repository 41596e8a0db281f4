"""Contamination: which benchmark problems stand in a training set, as the same text or by a shared run of 13 words.

The benchmarks are indexed once, by hash; training questions then pass by one at a time. Time and memory are linear: the
index holds one 64-bit number for each run of words of the benchmarks, and nothing of the training set is kept.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rlvr.data.normalise import same_signs

NGRAM_WORDS = 13  # SOURCE: the length that GPT-3's report (appendix C) and most decontamination since then use
WORD = re.compile(r"\w+")

Kind = Literal["text", "ngram"]
Question = tuple[str, str]  # problem_id, question


class Match(NamedTuple):
    """One benchmark problem met in a training question: as the same text, or by a shared run of words only."""

    benchmark: str
    benchmark_id: str
    training_id: str
    kind: Kind


@dataclass(frozen=True)
class BenchmarkIndex:
    """Benchmark problems by what a training question may share with them; values are positions in ``problems``.

    Attributes:
        problems: (benchmark, problem_id) of every indexed problem.
        texts: Positions by hash of the normalised text.
        ngrams: Positions by hash of ``NGRAM_WORDS`` consecutive words.
    """

    problems: tuple[tuple[str, str], ...]
    texts: Mapping[int, Sequence[int]] = field(repr=False)
    ngrams: Mapping[int, Sequence[int]] = field(repr=False)


def normalise_text(question: str) -> str:
    """Bring a question into the form that all its typings share: signs unified, case folded, no white space.

    LaTeX ignores white space, so that it tells no two questions apart.
    """
    return "".join(same_signs(question).casefold().split())


def words_of(question: str) -> list[str]:
    """Runs of letters, digits and underscores, case folded; punctuation and LaTeX's backslashes and braces go."""
    return WORD.findall(same_signs(question).casefold())


def hash_ngrams(question: str) -> set[int]:
    """Hashes of every ``NGRAM_WORDS`` consecutive words; none for a shorter question.

    The hashes are Python's own, salted differently in every process: never write them to a file.
    """
    words = words_of(question)
    return {hash(tuple(words[start : start + NGRAM_WORDS])) for start in range(len(words) - NGRAM_WORDS + 1)}


def index_benchmarks(benchmarks: Mapping[str, Iterable[Question]]) -> BenchmarkIndex:
    """Index the questions of every benchmark, by benchmark name; the same problem may stand in several."""
    problems: list[tuple[str, str]] = []
    texts: defaultdict[int, list[int]] = defaultdict(list)
    ngrams: defaultdict[int, list[int]] = defaultdict(list)
    for benchmark, questions in benchmarks.items():
        for problem_id, question in questions:
            texts[hash(normalise_text(question))].append(len(problems))
            for ngram in hash_ngrams(question):
                ngrams[ngram].append(len(problems))
            problems.append((benchmark, problem_id))
    return BenchmarkIndex(tuple(problems), dict(texts), dict(ngrams))


def find_matches(training: Iterable[Question], index: BenchmarkIndex) -> Iterator[Match]:
    """Every pair of a training and a benchmark problem that share their text or a run of words, training by training.

    Args:
        training: Questions of the training set; read once, one at a time.
        index: The benchmarks.

    Yields:
        At most one match for each pair; where the texts are the same, its kind is ``text``.
    """
    for training_id, question in training:
        same = index.texts.get(hash(normalise_text(question)), ())
        shared = {place for ngram in hash_ngrams(question) for place in index.ngrams.get(ngram, ())}
        for place in sorted({*same, *shared}):
            yield Match(*index.problems[place], training_id, "text" if place in same else "ngram")


def summarise_matches(
    matches: Iterable[Match], sizes: Mapping[str, int], examples: int = 20
) -> list[dict[str, object]]:
    """Contamination counts of each benchmark.

    Args:
        matches: As ``find_matches`` yields them.
        sizes: Number of problems of each benchmark, by name; each gets its line, also with nothing found.
        examples: Pairs to list for each benchmark, same texts first.

    Returns:
        For each benchmark: ``problems``; ``same_text`` and ``shared_ngram``, its problems that stand in the training
        set word for word, and those that share at least a run of words (the former included where they are long
        enough to hold one, or not: every same text counts as shared); ``training_problems`` that do either; examples.
    """
    found: defaultdict[str, list[Match]] = defaultdict(list)
    for match in matches:
        found[match.benchmark].append(match)
    return [_summary(name, size, found[name], examples) for name, size in sizes.items()]


def _summary(benchmark: str, size: int, matches: list[Match], examples: int) -> dict[str, object]:
    same_first = sorted(matches, key=lambda match: (match.kind != "text", match.benchmark_id, match.training_id))
    return {
        "benchmark": benchmark,
        "problems": size,
        "same_text": len({match.benchmark_id for match in matches if match.kind == "text"}),
        "shared_ngram": len({match.benchmark_id for match in matches}),
        "training_problems": len({match.training_id for match in matches}),
        "examples": [
            {"benchmark_id": match.benchmark_id, "training_id": match.training_id, "kind": match.kind}
            for match in same_first[:examples]
        ],
    }
