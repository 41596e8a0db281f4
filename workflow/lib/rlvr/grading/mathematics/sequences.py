"""Answers of several entries compared entry by entry: labels by name, points in order, sets in any order."""

from collections.abc import Sequence as Items

from rlvr.grading.mathematics.equality import same_trees
from rlvr.grading.mathematics.kinds import Equation, Expression, Reading, Sequence, Text
from rlvr.grading.mathematics.sameness import matched_once, same
from rlvr.grading.mathematics.transformations import components, vector_entries


def sequences(gold: Reading, answer: Reading) -> bool | None:
    """The decision where one of the two has entries."""
    if isinstance(gold, Expression) and isinstance(answer, Sequence):
        return _same_as_vector(answer, gold)
    if isinstance(gold, Sequence) and isinstance(answer, Expression):
        return _same_as_vector(gold, answer)
    if not (isinstance(gold, Sequence) and isinstance(answer, Sequence)):
        return None
    if {gold.joined, answer.joined} == {"and", "or"} and all(isinstance(item, Text) for item in gold.items):
        return False
    labels, others = _labels(gold), _labels(answer)
    if labels and others:
        return _same_labelled(gold, answer, labels, others)
    if labels and len(set(labels)) == len(labels) and not any(isinstance(item, Equation) for item in answer.items):
        return answer.brackets in ("()", "") and _one_by_one(_values(gold), answer.items)
    if others and not labels:
        return _same_with_labels(gold, answer, others)
    golds = _values(gold) if labels else gold.items
    return _same_entries(gold.brackets, golds, answer.brackets, answer.items)


def _labels(sequence: Sequence) -> list[str]:
    """Labels of the entries, if all have one."""
    found = [
        f"{item.label}({item.argument})" if item.argument else item.label
        for item in sequence.items
        if isinstance(item, Equation) and item.label
    ]
    return found if len(found) == len(sequence.items) else []


def _values(sequence: Sequence) -> tuple[Reading, ...]:
    return tuple(item.value if isinstance(item, Equation) else item for item in sequence.items)


def _same_labelled(gold: Sequence, answer: Sequence, labels: list[str], others: list[str]) -> bool:
    if len(set(labels)) == len(labels) and set(labels) == set(others):
        known = dict(zip(others, answer.items, strict=False))
        return len(others) == len(labels) and all(
            same(item, known[label]) for label, item in zip(labels, gold.items, strict=True)
        )
    return matched_once(gold.items, answer.items, same)


def _same_with_labels(gold: Sequence, answer: Sequence, others: list[str]) -> bool:
    """An answer whose entries have labels, for a gold without: sorted by label where the gold has an order."""
    values = _values(answer)
    if gold.brackets in ("", "{}"):
        if answer.brackets == "()":
            return _one_by_one(gold.items, values)
        return _same_bare(gold.items, values)
    if gold.brackets != "()":
        return False
    if (
        answer.brackets == ""
        and all(len(label) == 1 and label.isalpha() for label in others)
        and len(set(others)) == len(others)
    ):
        values = tuple(value for _, value in sorted(zip(others, values, strict=True), key=lambda pair: pair[0]))
    return _one_by_one(gold.items, values)


def _same_entries(brackets: str, golds: Items[Reading], other_brackets: str, answers: Items[Reading]) -> bool:
    if brackets in ("()", "[]"):
        allowed = {"()": ("()", ""), "[]": ("[]",)}[brackets]
        return other_brackets in allowed and _one_by_one(golds, answers)
    if other_brackets in ("()", "[]"):
        return brackets == "" and _one_by_one(golds, answers)
    return _same_bare(golds, answers)


def _one_by_one(golds: Items[Reading], answers: Items[Reading]) -> bool:
    return len(golds) == len(answers) and all(same(one, other) for one, other in zip(golds, answers, strict=True))


def _same_bare(golds: Items[Reading], answers: Items[Reading]) -> bool:
    """Entries in any order, each as often; an entry that the gold repeats may stand once."""
    if matched_once(golds, answers, same):
        return True
    distinct: list[Reading] = []
    for gold in golds:
        if not any(same(gold, one) for one in distinct):
            distinct.append(gold)
    return len(distinct) < len(golds) and matched_once(distinct, answers, same)


def _same_as_vector(sequence: Sequence, expression: Expression) -> bool:
    """A column, a row or a sum of unit vectors is the tuple of its entries; ``{5}`` is 5."""
    if len(sequence.items) == 1:
        return same(sequence.items[0], expression)
    if sequence.brackets not in ("()", "[]") and expression.tree[0] == "matrix":
        return False
    entries = vector_entries(expression.tree)
    if entries is None and sequence.brackets in ("()", "[]"):
        entries = components(expression.tree, len(sequence.items))
    if entries is None or len(entries) != len(sequence.items) or sequence.brackets not in ("()", "[]", ""):
        return False
    return all(
        isinstance(item, Expression) and same_trees(item.tree, entry)
        for item, entry in zip(sequence.items, entries, strict=True)
    )
