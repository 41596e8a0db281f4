"""Whether two readings are the same answer: kind by kind, entry by entry, nothing left over on either side."""

from collections.abc import Callable, Sequence as Items
from typing import Any

from rlvr.grading.mathematics.equality import proportional, same_trees
from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.readings import (
    Based,
    Cases,
    Congruence,
    Equation,
    Expression,
    Group,
    Percent,
    Progression,
    Ratio,
    Reading,
    Relation,
    Sequence,
    Text,
    as_region,
    read,
    whole_line,
)
from rlvr.grading.mathematics.regions import Region, same_regions
from rlvr.grading.mathematics.syntax import Tree
from rlvr.grading.mathematics.values import free_names, has
from rlvr.grading.mathematics.words import SYNONYMS

INDEX_NAMES = frozenset("jklmn")
SOLVED_FOR = frozenset({"", "x"})
HUNDRED: Tree = ("num", 100, "")


def same(gold: Reading, answer: Reading) -> bool:
    """Whether an answer's reading is that of its gold."""
    if gold == answer:
        return not isinstance(gold, Text) or bool(gold.tokens)
    for decide in DECISIONS:
        decided = decide(gold, answer)
        if decided is not None:
            return decided
    return False


def _text(gold: Reading, answer: Reading) -> bool | None:
    if isinstance(gold, Text) or isinstance(answer, Text):
        if isinstance(gold, Equation) or isinstance(answer, Equation):
            return bool(_equations(gold, answer)) or same_text(tokens_of(gold), tokens_of(answer))
        return same_text(tokens_of(gold), tokens_of(answer))
    return None


def tokens_of(reading: Reading) -> Tokens:
    """The tokens of a reading that has kept them."""
    if reading == Group(("bb R",)) or (isinstance(reading, Region) and same_regions(reading, whole_line())):
        return (Token("name", "bb R"),)
    return reading.tokens if isinstance(reading, (Text, Expression, Equation)) else ()


def phrase(tokens: Tokens) -> str:
    """Words of a text in one line, ``""`` if it holds anything else."""
    if tokens == (Token("constant", "inf"),) or tokens == (Token("op", "+"), Token("constant", "inf")):
        return "infinity"
    if tokens == (Token("op", "-"), Token("constant", "inf")):
        return "negative infinity"
    if tokens == (Token("name", "bb R"),):
        return "all real numbers"
    kinds = {token.kind for token in tokens}
    if not kinds <= {"word", "emptyset", "name", "constant", "sep"} or not kinds & {"word", "emptyset"}:
        return ""
    words = ["infinity" if token == Token("constant", "inf") else token.text.casefold() for token in tokens if token.kind != "sep"]
    return " ".join(word for word in words if word not in ("the", "a", "an"))


def same_text(gold: Tokens, answer: Tokens) -> bool:
    """Whether two texts say the same: the same words in the same order, and between them the same mathematics."""
    if not gold or not answer:
        return False
    if gold == answer:
        return True
    one, other = phrase(gold), phrase(answer)
    if one and other and (one == other or any(one in group and other in group for group in SYNONYMS)):
        return True
    first, second = _runs(gold), _runs(answer)
    if len(first) != len(second) or not any(kind == "words" for kind, _ in first):
        return len(first) == len(second) == 1 and _bare(gold) == _bare(answer)
    return all(
        kind == other_kind and (left == right if kind == "words" else _same_run(left, right))
        for (kind, left), (other_kind, right) in zip(first, second, strict=True)
    )


def _bare(tokens: Tokens) -> list[str]:
    """Signs without grouping braces; letters are letters, whether as a word or as names."""
    return [
        sign
        for token in tokens
        if token.text not in ("{", "}")
        for sign in (token.text if token.kind in ("word", "name") and token.text.isalpha() else (f"{token.kind} {token.text}",))
    ]


def _runs(tokens: Tokens) -> list[tuple[str, Any]]:
    """Runs of words (in lower case, articles left out) and of anything else."""
    runs: list[tuple[str, Any]] = []
    for token in tokens:
        kind = "words" if token.kind in ("word", "and", "or", "quantifier") else "other"
        if kind == "other" and token.text in (",", ".", ";", "{", "}") and token.kind in ("sep", "other", "open", "close"):
            continue
        item = token.text.casefold() if kind == "words" else token
        if item in ("the", "a", "an", "is", "are"):
            continue
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(item)
        else:
            runs.append((kind, [item]))
    return runs


def _same_run(gold: list[Token], answer: list[Token]) -> bool:
    if gold == answer:
        return True
    one, other = read(tuple(gold), depth=1), read(tuple(answer), depth=1)
    return not isinstance(one, Text) and not isinstance(other, Text) and same(one, other)


def _expressions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Expression) and isinstance(answer, Expression)):
        return None
    if same_trees(gold.tree, answer.tree):
        return True
    return (
        _same_with_renamed_index(gold.tree, answer.tree)
        or _same_with_renamed_constant(gold.tree, answer.tree)
        or _same_vectors(gold.tree, answer.tree)
        or _same_antiderivative(gold.tree, answer.tree)
    )


def _same_with_renamed_index(gold: Tree, answer: Tree) -> bool:
    r"""The integer of a periodic solution may have any name: ``\pi k`` is ``n \pi``."""
    names, others = free_names(gold), free_names(answer)
    if len(names) != 1 or len(others) != 1 or names == others or not names | others <= INDEX_NAMES:
        return False
    if not all(has(tree, "pi", "deg") for tree in (gold, answer)) or any(has(tree, "pow", "call") for tree in (gold, answer)):
        return False
    return same_trees(gold, renamed(answer, *others, *names))


def _same_with_renamed_constant(gold: Tree, answer: Tree) -> bool:
    """A constant of integration may be written small."""
    if gold[0] != "add" or answer[0] != "add" or ("name", "C") not in gold or ("name", "c") not in answer:
        return False
    one, other = (tuple(part for part in tree if part not in (("name", "C"), ("name", "c"))) for tree in (gold, answer))
    if {"C", "c"} & (free_names(one) | free_names(other)) or len(one) != len(gold) - 1 or len(other) != len(answer) - 1:
        return False
    return same_trees((*one, ("num", 0, "")), (*other, ("num", 0, "")))


def _same_antiderivative(gold: Tree, answer: Tree) -> bool:
    """An indefinite integral is answered by a function with that derivative."""
    for integral, function in ((gold, answer), (answer, gold)):
        if integral[0] == "int" and integral[2] is None and integral[3] is None and not has(function, "int"):
            return _is_antiderivative(integral, function)
    return False


def _is_antiderivative(integral: Tree, function: Tree) -> bool:
    from rlvr.grading.mathematics.values import Point, UndefinedError, context, evaluate

    ctx, agreed = context(), 0
    for place in range(6):
        values = []
        for tree, differentiated in ((integral[4], False), (function, True)):
            def at(x: Any, tree: Tree = tree, place: int = place) -> Any:
                return evaluate(tree, Point(f"{place}", bound={integral[1]: x}))

            start = ctx.mpf(place * 7 + 3) / 11
            try:
                values.append(ctx.diff(at, start) if differentiated else at(start))
            except (UndefinedError, ValueError, ZeroDivisionError):
                break
        if len(values) == 2:
            if abs(values[0] - values[1]) > ctx.mpf(10) ** -20 * max(abs(values[0]), abs(values[1])):
                return False
            agreed += 1
    return agreed >= 3


def renamed(tree: Any, old: str, new: str) -> Any:
    """The tree with another name for one of its names."""
    if tree == ("name", old):
        return ("name", new)
    return tuple(renamed(part, old, new) for part in tree) if isinstance(tree, tuple) else tree


def _same_vectors(gold: Tree, answer: Tree) -> bool:
    """Unit vectors, written i, j and k by one and bold or with hats by the other."""
    if not any(name.startswith("unit") for name in free_names(gold) | free_names(answer)):
        return False
    first, second = (_with_unit_vectors(tree) for tree in (gold, answer))
    for vector, other in ((gold, answer), (answer, gold)):
        entries = vector_entries(vector)
        parts = components(other, len(entries)) if entries else None
        if entries and parts:
            return all(same_trees(one, part) for one, part in zip(entries, parts, strict=True))
    return (first, second) != (gold, answer) and same_trees(first, second)


def _with_unit_vectors(tree: Any) -> Any:
    if tree in (("const", "i"), ("name", "j"), ("name", "k")):
        return ("name", f"unit {tree[1]}")
    return tuple(_with_unit_vectors(part) for part in tree) if isinstance(tree, tuple) else tree


def components(tree: Tree, size: int) -> list[Tree] | None:
    """Coefficients of the unit vectors in a sum, ``None`` if there are none."""
    names = [f"unit {letter}" for letter in "ijk"]
    if not any(name in free_names(tree) for name in names) or ("unit k" in free_names(tree) and size < 3):
        return None

    def replaced(part: Any, chosen: str) -> Any:
        if isinstance(part, tuple) and part[:1] == ("name",) and part[1] in names:
            return ("num", int(part[1] == chosen), "")
        return tuple(replaced(one, chosen) for one in part) if isinstance(part, tuple) else part

    none = replaced(tree, "")
    return [replaced(tree, name) for name in names[:size]] if same_trees(none, ("num", 0, "")) else None


def _percents(gold: Reading, answer: Reading) -> bool | None:
    r"""``50\%`` is 50 where the sign is left out, and 0.5."""
    if not (isinstance(gold, Percent) or isinstance(answer, Percent)):
        return None
    if isinstance(gold, Percent) and isinstance(answer, Percent):
        return same(gold.value, answer.value)
    percent, other = (gold, answer) if isinstance(gold, Percent) else (answer, gold)
    assert isinstance(percent, Percent)
    if isinstance(other, Equation):
        return None
    if not isinstance(other, Expression) or not isinstance(percent.value, Expression):
        return False
    fraction = ("div", percent.value.tree, HUNDRED)
    return same_trees(percent.value.tree, other.tree) or same_trees(fraction, other.tree)


def _bases(gold: Reading, answer: Reading) -> bool | None:
    """The base may be left out, not changed."""
    if isinstance(gold, Based) and isinstance(answer, Based):
        return (gold.digits, gold.base) == (answer.digits, answer.base)
    if not (isinstance(gold, Based) or isinstance(answer, Based)):
        return None
    based, other = (gold, answer) if isinstance(gold, Based) else (answer, gold)
    assert isinstance(based, Based)
    if isinstance(other, Equation):
        return None
    digits = "".join(token.text for token in tokens_of(other) if token.text not in ("{", "}", "(", ")"))
    return digits.upper() == based.digits


def _equations(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Equation) or isinstance(answer, Equation)):
        return None
    if isinstance(gold, Equation) and isinstance(answer, Equation):
        return _same_equations(gold, answer)
    if isinstance(gold, Equation):
        if isinstance(answer, Sequence) and len(answer.items) > 1 and not isinstance(gold.value, (Sequence, Cases)):
            return False
        value = _value_of(gold, labelled=True)
        return value is not None and same(value, answer)
    assert isinstance(answer, Equation)
    value = _value_of(answer, labelled=False)
    return value is not None and same(gold, value)


def _value_of(equation: Equation, labelled: bool) -> Reading | None:
    """What an equation says that something is; ``None`` where it only relates its sides."""
    sides = equation.sides
    if any(not same(sides[-1], side) for side in sides[1 if not equation.label else 0 : -1]):
        return None
    if equation.label:
        return sides[-1]
    first = sides[0]
    if not all(isinstance(side, Expression) and not free_names(side.tree) for side in sides[1:]) or not isinstance(first, Expression):
        return None
    if not free_names(first.tree):
        return sides[-1] if same(first, sides[-1]) else None
    names = first.tree[1:] if first.tree[0] == "add" else ()
    named = bool(names) and len(sides) > 2 and all(part[0] == "name" for part in names)
    return sides[-1] if named and not labelled else None


def _same_equations(gold: Equation, answer: Equation) -> bool:
    if gold.label and answer.label and (gold.worded or answer.worded):
        return (gold.label == answer.label or not gold.worded) and same(gold.value, answer.value)
    if gold.label and gold.label == answer.label:
        value = answer.value
        if gold.argument != answer.argument:
            if not (isinstance(gold.value, Expression) and isinstance(value, Expression)):
                return False
            if gold.argument not in free_names(gold.value.tree) or gold.argument in free_names(value.tree) - {answer.argument}:
                return False
            value = Expression(renamed(value.tree, answer.argument, gold.argument), value.tokens)
        if all(same(value, side) for side in answer.sides[:-1]) or len(answer.sides) == 1:
            return same(gold.value, value)
        return False
    if bool(gold.label) == bool(answer.label) == True and gold.argument:  # noqa: E712
        return False
    differences = _difference(gold), _difference(answer)
    if None in differences:
        return False
    one, other = differences
    if not (gold.label or answer.label) and (_same_sides(gold, answer) or _same_sides(gold, Equation("", "", answer.sides[::-1], answer.tokens))):
        return True
    if not free_names(one) and not free_names(other):
        return _same_sides(gold, answer)
    return _same_zeros(one, other)  # type: ignore[arg-type]


def _same_zeros(one: Tree, other: Tree) -> bool:
    """Whether two differences vanish together: up to a constant factor, or to what one of them is divided by."""
    if proportional(one, other):
        return True
    for divisor in (*divisors(one), *divisors(other)):
        if proportional(("mul", one, divisor), other) or proportional(one, ("mul", other, divisor)):
            return True
    return False


def divisors(tree: Any) -> list[Tree]:
    """What a tree is divided by somewhere and that holds a name, the first few."""
    if not isinstance(tree, tuple) or not tree:
        return []
    found = [tree[2]] if tree[0] == "div" and free_names(tree[2]) else []
    return [*found, *(one for part in tree for one in divisors(part))][:3]


def _difference(equation: Equation) -> Tree | None:
    """Left side less right side, of an equation with two sides."""
    sides = [side.tree for side in equation.sides if isinstance(side, Expression)]
    if len(sides) != len(equation.sides):
        return None
    if equation.label and not equation.worded:
        if equation.argument or " " in equation.label.replace("_ ", ""):
            sides.insert(0, ("call", ("name", equation.label), (("name", equation.argument),)))
        else:
            sides.insert(0, ("index", *_index_parts(equation.label)) if "_" in equation.label else ("name", equation.label))
    return ("add", sides[0], ("neg", sides[1])) if len(sides) == 2 else None


def _index_parts(label: str) -> tuple[str, tuple[str, ...]]:
    name, _, index = label.partition("_")
    return name, tuple(index.split(" "))


def _same_sides(gold: Equation, answer: Equation) -> bool:
    return len(gold.sides) == len(answer.sides) and all(same(one, other) for one, other in zip(gold.sides, answer.sides, strict=True))


def _relations(gold: Reading, answer: Reading) -> bool | None:
    """Inequalities that are no region of one name, side by side or as the sign of a difference."""
    if not (isinstance(gold, Relation) and isinstance(answer, Relation)):
        either = isinstance(gold, Relation) or isinstance(answer, Relation)
        return False if either and not (isinstance(gold, Region) or isinstance(answer, Region)) else None
    if len(gold.sides) != len(answer.sides):
        return False
    one, other = _upwards(gold), _upwards(answer)
    if one.signs != other.signs:
        return False
    if len(one.sides) > 2:
        return all(same_trees(left, right) for left, right in zip(one.sides, other.sides, strict=True))
    first, second = (("add", relation.sides[1], ("neg", relation.sides[0])) for relation in (one, other))
    return proportional(first, second, positive=one.signs != ("!=",))


def _upwards(relation: Relation) -> Relation:
    """The relation read so that its first sign is "less"."""
    if relation.signs[0] in (">", ">="):
        mirrored = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "!=": "!="}
        return Relation(relation.sides[::-1], tuple(mirrored[sign] for sign in relation.signs[::-1]))
    return relation


def _congruences(gold: Reading, answer: Reading) -> bool | None:
    if isinstance(gold, Congruence) and isinstance(answer, Congruence):
        if gold.name and answer.name and gold.name != answer.name:
            return False
        return same(gold.modulus, answer.modulus) and matched_once(_reduced(gold), _reduced(answer), same)
    if isinstance(gold, Congruence):
        known = gold.name in SOLVED_FOR and len(gold.residues) == 1
        return known and same(_reduced(gold)[0], answer) if not isinstance(answer, Equation) else None
    if isinstance(answer, Congruence):
        return len(answer.residues) == 1 and answer.name in SOLVED_FOR and same(gold, _reduced(answer)[0])
    return None


def _reduced(congruence: Congruence) -> list[Reading]:
    """Residues between 0 and the modulus where they are numbers."""
    modulus = _whole(congruence.modulus)
    found = []
    for residue in congruence.residues:
        value = _whole(residue)
        known = modulus and value is not None
        found.append(Expression(("num", value % modulus, ""), ()) if known else residue)  # type: ignore[operator]
    return found


def _whole(reading: Reading) -> int | None:
    tree = reading.tree if isinstance(reading, Expression) else ("none",)
    sign, tree = (-1, tree[1]) if tree[0] == "neg" else (1, tree)
    return sign * int(tree[1]) if tree[0] == "num" and tree[1] == int(tree[1]) else None


def _cases(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Cases) and isinstance(answer, Cases)):
        return None if not (isinstance(gold, Cases) or isinstance(answer, Cases)) else False
    return matched_once(gold.rows, answer.rows, lambda one, other: same(one[0], other[0]) and same(one[1], other[1]))


def _groups(gold: Reading, answer: Reading) -> bool | None:
    return gold == answer if isinstance(gold, Group) or isinstance(answer, Group) else None


def _ratios(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Ratio) or isinstance(answer, Ratio)):
        return None
    if not (isinstance(gold, Ratio) and isinstance(answer, Ratio)) or len(gold.parts) != len(answer.parts):
        return False
    return all(same(one, other) for one, other in zip(gold.parts, answer.parts, strict=True))


def _regions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Region) or isinstance(answer, Region)):
        return None
    if isinstance(gold, Region):
        region = as_region(answer, certain=True)
        if region is not None and same_regions(gold, region):
            return True
        return isinstance(answer, (Region, Relation)) and bool(gold.sides and answer.sides) and bool(_relations(
            Relation(gold.sides, gold.signs), Relation(answer.sides, answer.signs)
        ))
    assert isinstance(answer, Region)
    if isinstance(gold, Relation):
        return bool(answer.sides) and bool(_relations(gold, Relation(answer.sides, answer.signs)))
    region = as_region(gold, certain=answer.french)
    return region is not None and same_regions(region, answer)


def _progressions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Progression) or isinstance(answer, Progression)):
        return None
    if not (isinstance(gold, Progression) and isinstance(answer, Progression)):
        return False
    if {gold.brackets, answer.brackets} - {"", "{}"} and gold.brackets != answer.brackets:
        return False
    if len(gold.after) != len(answer.after) or not all(map(same, gold.after, answer.after)):
        return False
    shorter, longer = sorted((gold.before, answer.before), key=len)
    if len(shorter) < 2 and len(shorter) != len(longer) or not all(same(one, other) for one, other in zip(shorter, longer, strict=False)):
        return False
    numbers = [_whole(entry) for entry in longer]
    if len(shorter) == len(longer):
        return True
    steps = {second - first for first, second in zip(numbers[:-1], numbers[1:], strict=True) if first is not None and second is not None}
    return None not in numbers and len(steps) == 1


def _sequences(gold: Reading, answer: Reading) -> bool | None:
    if isinstance(gold, Expression) and isinstance(answer, Sequence):
        return _same_as_vector(answer, gold)
    if isinstance(gold, Sequence) and isinstance(answer, Expression):
        return _same_as_vector(gold, answer)
    if not (isinstance(gold, Sequence) and isinstance(answer, Sequence)):
        return None
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
    found = [f"{item.label}({item.argument})" if item.argument else item.label for item in sequence.items if isinstance(item, Equation) and item.label]
    return found if len(found) == len(sequence.items) else []


def _values(sequence: Sequence) -> tuple[Reading, ...]:
    return tuple(item.value if isinstance(item, Equation) else item for item in sequence.items)


def _same_labelled(gold: Sequence, answer: Sequence, labels: list[str], others: list[str]) -> bool:
    if len(set(labels)) == len(labels) and set(labels) == set(others):
        known = dict(zip(others, answer.items, strict=False))
        return len(others) == len(labels) and all(same(item, known[label]) for label, item in zip(labels, gold.items, strict=True))
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
    if answer.brackets == "" and all(len(label) == 1 and label.isalpha() for label in others) and len(set(others)) == len(others):
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
    return all(isinstance(item, Expression) and same_trees(item.tree, entry) for item, entry in zip(sequence.items, entries, strict=True))


def vector_entries(tree: Tree) -> list[Tree] | None:
    """Entries of a matrix with one column or one row, or of its transpose."""
    if tree[0] == "pow" and tree[2] == ("name", "T"):
        return vector_entries(tree[1])
    if tree[0] == "vector":
        return list(tree[1:])
    if tree[0] != "matrix":
        return None
    rows = tree[1]
    if len(rows) == 1:
        return list(rows[0])
    return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else None


def matched_once(golds: Items[Any], answers: Items[Any], equal: Callable[[Any, Any], bool]) -> bool:
    """Whether the two hold the same entries, each as often, in any order."""
    left = list(answers)
    if len(left) != len(golds):
        return False
    for gold in golds:
        found = next((place for place, item in enumerate(left) if equal(gold, item)), None)
        if found is None:
            return False
        del left[found]
    return not left


DECISIONS: tuple[Callable[[Reading, Reading], bool | None], ...] = (
    _bases, _text, _expressions, _percents, _congruences, _equations, _relations, _cases, _regions, _groups, _ratios, _progressions,
    _sequences,
)  # fmt: skip
