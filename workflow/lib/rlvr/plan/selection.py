"""Which runs an output shows: conditions on the facts of the grid, and one row for each of their values."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.kept_steps import STEP

Facts = Mapping[str, Any]
Condition = Mapping[str, Any]
SettingKey = tuple[tuple[str, str], ...]  # names and values of the settings of a run
BASE, BASE_SUFFIX = "base", "_base"  # method and last part of the id of an untrained base
PLAIN = str | int | float | None
OF_NO_SETTING = frozenset({"run_id", "seed", "keep_steps", "tier", "for"})  # facts that may differ in a mean over seeds


def run_facts(grid: Mapping[str, Facts], recipe: Facts | None = None) -> dict[str, dict[str, Any]]:
    """Collect the facts by which outputs select runs.

    Args:
        grid: Rows by run id, empty cells as ``None``.
        recipe: What an empty cell means, by column; other entries become facts of every run. Entries that differ by
            family (learning rates) are left out: an empty cell stays empty.

    Returns:
        For every run its row with the recipe in its empty cells, and ``alpha_ratio`` (alpha / rank, ``None`` without).
    """
    common = {name: value for name, value in (recipe or {}).items() if not isinstance(value, Mapping)}
    found = {}
    for run_id, row in grid.items():
        facts = {**common, **{name: value for name, value in row.items() if value is not None}}
        alpha, rank = row.get("alpha"), row.get("rank")
        ratio = alpha / rank if alpha is not None and rank else None
        found[run_id] = {**dict.fromkeys(row), **facts, "run_id": run_id, "alpha_ratio": ratio}
    return found


def pair_facts(pairs: Mapping[str, Facts]) -> dict[str, dict[str, Any]]:
    """Collect the facts by which outputs select pairs of checkpoints: their rows, and their names as ``pair``."""
    return {name: {**row, "pair": name} for name, row in pairs.items()}


def base_facts(models: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Collect the facts by which outputs select untrained bases: their model, and the method ``base``."""
    return {
        f"{model}{BASE_SUFFIX}": {"model": model, "method": BASE, "run_id": f"{model}{BASE_SUFFIX}"} for model in models
    }


class Candidates(dict[str, dict[str, Any]]):
    """Facts by name, to be asked often: who has which value of a fact is found once, at the first question.

    It is read only from then on.
    """

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of every name, in the order of the grid."""
        return {name: place for place, name in enumerate(self)}

    @cached_property
    def bases(self) -> list[str]:
        """Names of the untrained bases."""
        return [name for name, facts in self.items() if facts.get("method") == BASE]

    @cached_property
    def trained(self) -> frozenset[str]:
        """All other names."""
        return frozenset(self) - frozenset(self.bases)

    @cached_property
    def kept(self) -> frozenset[str]:
        """Names of steps of runs, which are selected only where a condition speaks of steps."""
        return frozenset(name for name, facts in self.items() if facts.get(STEP) is not None)

    @cached_property
    def facts(self) -> set[str]:
        """Names of all facts."""
        return set(chain.from_iterable(self.values()))

    def having(self, fact: str, values: Sequence[Any]) -> set[str]:
        """Names that have one of these values of a fact."""
        if fact not in self._index:
            self._index[fact] = self._look_up(fact)
        known, others = self._index[fact]
        found = {name for name in others if self[name][fact] in values}
        return found.union(*(known.get(value, ()) for value in values if isinstance(value, Hashable)))

    @cached_property
    def _index(self) -> dict[str, tuple[dict[Any, set[str]], list[str]]]:
        return {}

    def _look_up(self, fact: str) -> tuple[dict[Any, set[str]], list[str]]:
        """Names by value of a fact, and the names whose value cannot be looked up (lists)."""
        known: dict[Any, set[str]] = {}
        others = []
        for name, facts in self.items():
            if isinstance(facts.get(fact), Hashable) and fact in facts:
                known.setdefault(facts[fact], set()).add(name)
            elif fact in facts:
                others.append(name)
        return known, others


def candidates_of(
    rows: Mapping[str, Facts], recipe: Facts | None = None, pairs: Mapping[str, Facts] | None = None
) -> "Candidates":
    """Everything that the outputs of a study can select: its runs, the untrained bases of these, and its pairs."""
    models = dict.fromkeys(row["model"] for row in rows.values() if "model" in row)
    return Candidates(run_facts(rows, recipe) | base_facts(models) | pair_facts(pairs or {}))


def select(candidates: Mapping[str, Facts], conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Names whose facts meet every condition, in the order of the grid.

    A step that a run keeps on its way is selected only where a condition speaks of ``step``.

    An untrained base is selected only by name, as the method ``base``; it was trained on nothing, so that of all other
    conditions only those on its own facts count.
    """
    known = _indexed(candidates)
    wanted = list(conditions)
    asked = [known.having(name, _choices(value)) for condition in wanted for name, value in condition.items()]
    found = set(known.trained.intersection(*sorted(asked, key=len)))
    if any(BASE in _choices(condition.get("method")) for condition in wanted):
        found.update(name for name in known.bases if all(_base_meets(known[name], each) for each in wanted))
    if not any(STEP in condition for condition in wanted):
        found -= known.kept
    return tuple(sorted(found, key=known.places.__getitem__))


def _indexed(candidates: Mapping[str, Facts]) -> Candidates:
    if isinstance(candidates, Candidates):
        return candidates
    return Candidates((name, {**facts}) for name, facts in candidates.items())


def _base_meets(facts: Facts, condition: Condition) -> bool:
    return matches(facts, {name: value for name, value in condition.items() if name in facts})


def matches(facts: Facts, condition: Condition) -> bool:
    """Whether facts meet a condition: each fact equals the value, or one of a list; ``None`` is an empty cell."""
    return all(name in facts and facts[name] in _choices(value) for name, value in condition.items())


def check_condition(condition: Condition, candidates: Mapping[str, Facts], where: object) -> None:
    """Check that a condition is a table of plain values, or lists of them, and speaks of facts that exist.

    Raises:
        InputError: Names the fact that no run and no pair has.
    """
    values = condition.values() if isinstance(condition, Mapping) else [{}]
    if not all(isinstance(choice, PLAIN) for value in values for choice in _choices(value)):
        remedy = "Expected a table of facts with a value or a list of values each."
        raise InputError(where, f"'where' is {condition!r}.", remedy)
    known = _indexed(candidates).facts
    for name in condition:
        if name not in known:
            raise InputError(where, f"selects by '{name}'.", f"Known: {', '.join(sorted(known)) or 'nothing'}.")


def check_values(
    condition: Condition, candidates: Mapping[str, Facts], where: object, words: Mapping[str, Collection[str]]
) -> None:
    """Check that something has every value of a condition: a misspelt one would select nothing in silence.

    Args:
        condition: Values by fact, each known to be a fact.
        candidates: Facts by name.
        where: What a message shall name.
        words: Values that may be named although nothing has them yet, by fact.

    Raises:
        InputError: Names the fact and the value, and lists the values that there are.
    """
    has = _indexed(candidates).having
    for name, value in condition.items():
        for choice in _choices(value):
            there = has(name, [choice]) or choice in words.get(name, ())
            known = [facts.get(name) for facts in candidates.values()] if not there or isinstance(choice, bool) else []
            only_equal = isinstance(choice, bool) and not any(isinstance(entry, bool) for entry in known)  # True is 1
            if not there or only_equal:
                listed = ", ".join(dict.fromkeys(text_of(entry) for entry in known if entry is not None))
                raise InputError(where, f"no row of the grid has {name} {choice!r}.", f"Values: {listed or 'none'}.")


def distinct(candidates: Mapping[str, Facts], names: Sequence[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The combinations of values of ``columns`` among these runs: numbers ascending, texts as the grid orders them."""
    places: dict[str, dict[Any, int]] = {column: {} for column in columns}
    for name in names:
        for column in columns:
            places[column].setdefault(candidates[name].get(column), len(places[column]))

    def order(values: tuple[Any, ...]) -> list[tuple[int, float]]:
        return [
            (0, float(value)) if isinstance(value, int | float) else (1, places[column][value])
            for column, value in zip(columns, values, strict=True)
        ]

    found = {tuple(candidates[name].get(column) for column in columns) for name in names}
    return [dict(zip(columns, values, strict=True)) for values in sorted(found, key=order)]


def setting_key(facts: Facts) -> SettingKey:
    """What runs that differ in nothing but the seed have in common; any other setting tells two runs apart."""
    return tuple(sorted((name, repr(value)) for name, value in facts.items() if name not in OF_NO_SETTING))


def by_setting(candidates: Mapping[str, Facts], names: Sequence[str]) -> list[tuple[str, ...]]:
    """Runs in groups that differ in nothing but the seed, in the order of the grid."""
    groups: dict[SettingKey, list[str]] = {}
    for name in names:
        groups.setdefault(setting_key(candidates[name]), []).append(name)
    return [tuple(group) for group in groups.values()]


def differ_in_seed_only(candidates: Mapping[str, Facts], names: Sequence[str]) -> bool:
    """Whether runs agree in every setting but their seed, and no seed appears twice."""
    seeds = [candidates[name].get("seed") for name in names]
    return len({setting_key(candidates[name]) for name in names}) <= 1 and len(set(seeds)) == len(seeds)


def fill_in(template: str, facts: Facts, words: Mapping[str, Mapping[str, str]], where: object) -> str:
    """A text with facts in it, such as ``r = {rank}``.

    Args:
        template: Text with names of facts in braces.
        facts: Values by name.
        words: How to write a value, by column and value as text; other values are written as they are.
        where: What a message shall name.

    Raises:
        InputError: If the template names a fact that the row was not made for.
    """
    texts = {name: words.get(name, {}).get(text_of(value), text_of(value)) for name, value in facts.items()}
    try:
        return template.format_map(texts)
    except (KeyError, ValueError, IndexError) as error:
        remedy = f"Names in braces must stand in 'each' or in 'where' with one value: {', '.join(texts) or 'none'}."
        raise InputError(where, f"cannot fill in '{template}'.", remedy) from error


def single_values(conditions: Iterable[Condition]) -> dict[str, Any]:
    """The facts that conditions fix to one value."""
    return {
        name: value
        for condition in conditions
        for name, value in condition.items()
        if not isinstance(value, list | tuple)
    }


def _choices(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def text_of(value: Any) -> str:
    """A fact as labels write it: whole numbers without a point, an empty cell as nothing."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
