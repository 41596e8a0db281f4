"""Claims as predicates: what the grammar reads, refuses and decides."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against
from rlvr.core.seeds import make_rng
from rlvr.plan.claim_grammar import (
    FUNCTIONS,
    Combination,
    Comparison,
    Leaf,
    LeafKind,
    Number,
    comparisons_of,
    leaves_of,
    read_operand,
    read_statement,
)
from rlvr.plan.claims import Claim, load_claims
from rlvr.plan.printed import MINUS
from rlvr.plan.verdict_words import ClaimVerdict
from rlvr.report.claim_numbers import (
    CURVE_FUNCTIONS,
    CURVE_LABELS,
    NUMBER_FUNCTIONS,
    ClaimNumbers,
    Curve,
    Quantity,
    gaps,
    worth,
)
from rlvr.report.claim_table import ClaimScope, family_of, judge_claims, labelled, sides_of
from rlvr.report.claim_texts import margin_text, numbers_text
from rlvr.report.comparing import Drawn, constant
from rlvr.report.judging import combine, judge_comparison, judge_statement
from rlvr.report.scope import ReportScope
from rlvr.stats.resampling import DRAWS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow/schemas/claims.schema.yaml"
HOLDS, FAILS, UNDECIDED, ONE_SEED, NOT_RUN = ClaimVerdict
Z95 = 1.959964


def drawn(name: str, value: float, half_width: float, seeds: int | None = 3) -> Drawn:
    """Normal draws whose central 95 % reach so far to either side, independent of those of another name."""
    scores = make_rng(name).standard_normal(DRAWS)
    return Drawn(value, value + half_width / Z95 * (scores - scores.mean()) / scores.std(), seeds)


def quantity(name: str, value: float, half_width: float = 0.0, seeds: int | None = 3) -> Quantity:
    made = drawn(name, value, half_width, seeds) if half_width else constant(value)
    return Quantity(made, "%", 1, name, (f"run-{name}",))


CELLS = {
    ("t", each.label, "x"): each
    for each in (
        quantity("high", 80, 4),
        quantity("low", 50, 3),
        quantity("near", 78, 4),
        quantity("one", 80, 4, seeds=1),
        quantity("exact", 7.1),
        quantity("larger", 10.2),
        quantity("absent", math.nan),
    )
}
CURVES = {
    ("figure6", "constant"): Curve(np.array([1, 2, 3, 4]), np.array([0.2, 1.0, 0.5, 0.1]), "constant", runs=("run-c",)),
    ("figure1", "flat"): Curve(np.array([1, 2, 3]), np.array([1.0, 0.9, 0.8]), "flat"),
    ("figure1", "steep"): Curve(np.array([1, 2, 3, 4]), np.array([1.0, 0.7, 0.7, 0.6]), "steep"),
}
NUMBERS = ClaimNumbers(
    cells=CELLS,
    bases={("m", "b"): quantity("untrained m", 44, 5, seeds=None)},
    counts={("d", "cut"): Quantity(constant(5399), "problems", 0, "d, cut")},
    curves=CURVES,
    seeds={"run-c": 42},
)
PRINTED = ClaimNumbers(cells={("t", "high", "x"): quantity("high", 84.0), ("t", "low", "x"): quantity("low", 77.3)})


def assume(value: float) -> dict[str, Any]:
    return {"assume": value, "because": "a test"}


def statement(left: Any, op: str, right: Any, **rest: Any) -> Comparison:
    """A comparison; a bare name is a cell, a bare number one of ours."""
    sides = [each if isinstance(each, dict) else f"t/{each}/x" for each in (left, right)]
    found = read_statement({"left": sides[0], "op": op, "right": sides[1], **rest}, "here")
    assert isinstance(found, Comparison)
    return found


def verdict_of(left: Any, op: str, right: Any, **rest: Any) -> ClaimVerdict:
    return judge_comparison(statement(left, op, right, **rest), NUMBERS, PRINTED).verdict


@pytest.mark.parametrize(
    ("left", "op", "right", "margin", "verdict"),
    [
        ("high", "exceeds", "low", 20, HOLDS),  # 30 [25, 35]
        ("high", "exceeds", "low", 27, UNDECIDED),
        ("high", "exceeds", "low", 36, FAILS),
        ("high", "exceeds", "near", 0, UNDECIDED),
        ("low", "exceeds", "high", 0, FAILS),
        ("low", "below", "high", 20, HOLDS),
        ("high", "below", "low", 0, FAILS),
        ("high", "within", "near", 9, HOLDS),  # 2 [-3.7, 7.7]
        ("high", "within", "near", 3, UNDECIDED),
        ("high", "within", "low", 20, FAILS),
        ("larger", "exceeds", "exact", 3, HOLDS),  # no intervals: the numbers decide
        ("larger", "exceeds", "exact", 3.1, FAILS),  # by rounding alone: 10.2 - 7.1
        ("exact", "exceeds", "larger", 0, FAILS),
        ("exact", "within", "exact", 0, HOLDS),
        ("high", "exceeds", "absent", 0, NOT_RUN),
        ("one", "exceeds", "low", 20, ONE_SEED),
        ("low", "exceeds", "one", 0, ONE_SEED),
        ("one", "exceeds", "near", 0, UNDECIDED),
    ],
)
def test_comparisons(left: str, op: str, right: str, margin: float, verdict: ClaimVerdict) -> None:
    assert verdict_of(left, op, right, margin=assume(margin)) is verdict


def test_a_single_seed_leans() -> None:
    judged = judge_comparison(statement("low", "exceeds", "one"), NUMBERS, PRINTED)
    assert (judged.verdict, judged.leans) == (ONE_SEED, FAILS)


@pytest.mark.parametrize(
    ("left", "op", "right", "factor", "verdict"),
    [
        ("larger", "exceeds", "exact", 1.4, HOLDS),  # 10.2 / 7.1 = 1.44
        ("larger", "exceeds", "exact", 1.5, FAILS),
        ("exact", "below", "larger", 1.4, HOLDS),
        ("high", "exceeds", "low", 1.45, HOLDS),
        ("high", "exceeds", "low", 1.6, UNDECIDED),
        ("larger", "within", "exact", 1.5, HOLDS),
        ("exact", "within", "larger", 1.5, HOLDS),
        ("exact", "within", "larger", 1.4, FAILS),
        ("high", "within", "near", 1.12, HOLDS),
        ("high", "within", "near", 1.05, UNDECIDED),
        ("high", "within", "low", 1.3, FAILS),
    ],
)
def test_factors(left: str, op: str, right: str, factor: float, verdict: ClaimVerdict) -> None:
    assert verdict_of(left, op, right, factor=assume(factor)) is verdict


def test_places_of_every_kind_and_numbers() -> None:
    assert verdict_of("high", "exceeds", {"printed": 70}) is HOLDS
    assert judge(read_statement({"left": "t/high/x", "op": "exceeds", "right": "base/m/b"}, "")) is HOLDS
    assert judge(read_statement({"left": "data/d/cut", "op": "within", "right": {"printed": 5399}}, "")) is HOLDS
    assert judge(read_statement({"left": "data/d/cut", "op": "within", "right": {"printed": 5400}}, "")) is FAILS
    assert judge(read_statement({"left": "data/e/cut", "op": "within", "right": {"printed": 5400}}, "")) is NOT_RUN


def judge(content: Any) -> ClaimVerdict:
    parts = {part: judge_comparison(part, NUMBERS, PRINTED).verdict for part in comparisons_of(content)}
    return judge_statement(content, parts)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ({"largest": ["t/low/x", "t/high/x", "t/exact/x"]}, 80),
        ({"smallest": ["t/low/x", "t/high/x", {"printed": 60}]}, 50),
        ({"mean": ["t/low/x", "t/high/x"]}, 65),
        ({"minus": ["t/low/x", "t/high/x"]}, -30),
        ({"minus": [{"minus": ["t/high/x", "t/low/x"]}, {"minus": ["t/larger/x", "t/exact/x"]}]}, 30 - 3.1),
        ({"ratio": ["t/larger/x", "t/exact/x"]}, 10.2 / 7.1),
        ({"area": "figure6/constant"}, 0.45),
        ({"peak": "figure6/constant"}, 1.0),
        ({"peak_at": "figure6/constant"}, 2),
        ({"lowest_after_peak": "figure6/constant"}, 0.1),
        ({"smallest_gap": ["figure1/flat", "figure1/steep"]}, 0.1),
        ({"largest_gap": ["figure1/steep", "figure1/flat"]}, 0.2),
    ],
)
def test_functions(function: dict[str, Any], value: float) -> None:
    assert worth(read_operand(function, "here"), NUMBERS).value == pytest.approx(value)


def test_every_function_of_the_grammar_is_computed_and_in_the_schema() -> None:
    schema = yaml.safe_load(SCHEMA.read_text())["$defs"]["function"]
    assert set(FUNCTIONS) == set(NUMBER_FUNCTIONS) | set(CURVE_FUNCTIONS) == set(schema["properties"])
    assert {name for name, function in FUNCTIONS.items() if function.of_curves} == set(CURVE_FUNCTIONS)
    assert set(CURVE_LABELS) == set(CURVE_FUNCTIONS)
    assert all(name in schema["description"] for name in FUNCTIONS)


def test_a_difference_of_something_with_itself_has_no_spread() -> None:
    assert verdict_of("high", "within", "high", margin=assume(0)) is HOLDS


def test_the_seed_of_a_curve_counts() -> None:
    part = read_statement({"left": {"peak": "figure6/constant"}, "op": "exceeds", "right": {"printed": 0.5}}, "here")
    assert judge(part) is ONE_SEED
    gap = read_statement(
        {"left": {"smallest_gap": ["figure1/flat", "figure1/steep"]}, "op": "exceeds", "right": {"printed": 0}}, ""
    )
    assert judge(gap) is HOLDS  # bases before training have no seed


def test_the_fewest_seeds_of_a_curve_count() -> None:
    """Two curves of one seed each are not two seeds of anything."""
    curves = {
        ("figure6", "a"): Curve(np.array([1, 2]), np.array([0.2, 1.0]), "a", runs=("run-a",)),
        ("figure6", "b"): Curve(np.array([1, 2]), np.array([0.1, 0.3]), "b", runs=("run-b", "run-c")),
    }
    numbers = ClaimNumbers(curves=curves, seeds={"run-a": 42, "run-b": 43, "run-c": 44})
    gap = {"largest_gap": ["figure6/a", "figure6/b"]}
    assert worth(read_operand(gap, "here"), numbers).drawn.seeds == 1
    part = read_statement({"left": gap, "op": "exceeds", "right": assume(0)}, "here")
    assert isinstance(part, Comparison) and judge_comparison(part, numbers, PRINTED).verdict is ONE_SEED


def test_the_first_index_of_normalised_values_is_left_out_and_no_other() -> None:
    assert gaps(CURVES["figure1", "flat"], CURVES["figure1", "steep"]) == pytest.approx([0.2, 0.1])
    shifted = Curve(np.array([2, 3]), np.array([0.5, 0.5]))
    assert gaps(CURVES["figure6", "constant"], shifted) == pytest.approx([0.5, 0.0])
    with pytest.raises(ValueError, match="no index in common"):
        gaps(Curve(np.array([9]), np.array([1.0]), "a"), shifted)


def test_a_missing_curve_is_not_run() -> None:
    part = read_statement({"left": {"peak": "figure9/x"}, "op": "exceeds", "right": {"printed": 0.5}}, "here")
    assert judge(part) is NOT_RUN
    (comparison,) = comparisons_of(part)
    assert numbers_text(judge_comparison(comparison, NUMBERS, PRINTED)) == "peak of figure9/x: not run"


SIDES = st.sampled_from(["high", "low", "near", "one", "exact", "larger", "absent"])
MARGINS = st.floats(0, 40).map(lambda margin: {"margin": assume(margin)})
FACTORS = st.floats(1.0, 3).map(lambda factor: {"factor": assume(factor)})


@given(left=SIDES, right=SIDES, asked=MARGINS | FACTORS)
def test_sides_swapped(left: str, right: str, asked: dict[str, Any]) -> None:
    """``below`` is ``exceeds`` from the other side; ``within`` is the same from both; both cannot exceed each other."""
    assert verdict_of(left, "exceeds", right, **asked) is verdict_of(right, "below", left, **asked)
    assert verdict_of(left, "within", right, **asked) is verdict_of(right, "within", left, **asked)
    both = {verdict_of(left, "exceeds", right, **asked), verdict_of(right, "exceeds", left, **asked)}
    assert both != {HOLDS}
    if HOLDS in both:
        assert FAILS in both
        assert verdict_of(left, "within", right, **asked) is FAILS


@given(st.lists(st.sampled_from(list(ClaimVerdict)), min_size=1, max_size=5), st.data())
def test_combinations_against_every_way_in_which_the_open_parts_may_turn_out(
    verdicts: list[ClaimVerdict], data: st.DataObject
) -> None:
    needed = data.draw(st.integers(1, len(verdicts)))
    choices = [[verdict] if verdict in (HOLDS, FAILS) else [HOLDS, FAILS] for verdict in verdicts]
    outcomes = {each.count(HOLDS) >= needed for each in itertools.product(*choices)}
    found = combine(verdicts, needed)
    assert {HOLDS: {True}, FAILS: {False}}.get(found, {True, False}) == outcomes
    if found not in (HOLDS, FAILS):
        assert found in verdicts


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([HOLDS, UNDECIDED, NOT_RUN], NOT_RUN),
        ([HOLDS, UNDECIDED, ONE_SEED], UNDECIDED),
        ([HOLDS, ONE_SEED], ONE_SEED),
        ([FAILS, NOT_RUN], FAILS),
    ],
)
def test_what_keeps_a_claim_open(verdicts: list[ClaimVerdict], verdict: ClaimVerdict) -> None:
    assert combine(verdicts, len(verdicts)) is verdict


def test_chains() -> None:
    rising = read_statement({"ascending": ["t/exact/x", "t/larger/x", "t/low/x"]}, "here")
    falling = read_statement({"descending": ["t/low/x", "t/larger/x", "t/exact/x"], "margin": assume(3)}, "here")
    assert judge(rising) is HOLDS and judge(falling) is HOLDS
    assert judge(read_statement({"descending": ["t/low/x", "t/exact/x", "t/larger/x"]}, "here")) is FAILS
    assert isinstance(falling, Combination) and falling.needed == 2
    assert [part.left.place[1] for part in falling.parts] == ["low", "larger"]  # type: ignore[union-attr]


def test_any_all_and_at_least() -> None:
    parts = [{"left": f"t/{name}/x", "op": "exceeds", "right": {"printed": 60}} for name in ("high", "near", "low")]
    assert judge(read_statement({"any": parts}, "")) is HOLDS
    assert judge(read_statement({"all": parts}, "")) is FAILS
    assert judge(read_statement({"at_least": 2, "of": parts}, "")) is HOLDS
    nested = {"all": [{"at_least": 2, "of": parts}, {"any": parts[2:]}]}
    assert judge(read_statement(nested, "")) is FAILS
    with pytest.raises(InputError, match="at least 4 of 3"):
        read_statement({"at_least": 4, "of": parts}, "here")


def test_half_of_the_printed_distance() -> None:
    part = statement("high", "exceeds", "low", margin="half_printed")
    judged = judge_comparison(part, NUMBERS, PRINTED)
    assert judged.margin.value == pytest.approx((84.0 - 77.3) / 2)
    assert judged.margin.source == "SOURCE: half of the printed distance, 6.7"
    half = statement("high", "exceeds", "low", margin={"half_of": 5.9, "at": "section 4.2"})
    assert half.margin == Number(2.95, "SOURCE: half of the printed 5.9, section 4.2")


def test_the_numbers_behind_a_verdict_are_shown_with_their_names_and_sources() -> None:
    judged = judge_comparison(statement("high", "exceeds", "low", margin="half_printed"), NUMBERS, PRINTED)
    text = numbers_text(judged)
    assert text.startswith("high: 80.0 \N{MINUS SIGN} low: 50.0 = 30.0 [") and text.endswith("]; asked: > 3.35")
    assert margin_text(judged) == "3.35 (SOURCE: half of the printed distance, 6.7)"
    ratio = judge_comparison(statement("larger", "within", "exact", factor=assume(1.5)), NUMBERS, PRINTED)
    assert numbers_text(ratio) == "larger: 10.2 / exact: 7.1 = 1.44; asked: 0.67 to 1.50"
    times = judge_comparison(statement("larger", "exceeds", "exact", factor=assume(1.4)), NUMBERS, PRINTED)
    assert numbers_text(times).startswith("larger: 10.2 \N{MINUS SIGN} 1.4 \N{MULTIPLICATION SIGN} exact: 7.1 = 0.3")
    assert margin_text(times) == "1.4 (ASSUME: a test)"


def test_the_sides_of_a_claim_are_listed_once_with_what_is_printed_there() -> None:
    content = {"all": [
        {"left": "t/high/x", "op": "exceeds", "right": "t/low/x", "margin": assume(1)},
        {"left": "t/high/x", "op": "exceeds", "right": "t/absent/x"},
        {"left": {"minus": ["t/high/x", "t/low/x"]}, "op": "exceeds", "right": {"printed": 10}},
    ]}  # fmt: skip
    parts = [judge_comparison(part, NUMBERS, PRINTED) for part in comparisons_of(read_statement(content, "here"))]
    assert sides_of(parts, PRINTED) == [
        {"label": "high", "ours": "80.0", "printed": "84.0"},
        {"label": "low", "ours": "50.0", "printed": "77.3"},
        {"label": "absent", "ours": "not run", "printed": ""},
        {"label": f"(high {MINUS} low)", "ours": "30.0", "printed": "6.7"},
    ]


def test_chance_decides_claims_over_seeds_only() -> None:
    """Neither a claim on a single seed nor one about the very seeds that were run rests on an interval over seeds."""
    over = {"left": "t/high/x", "op": "exceeds", "right": "t/low/x"}
    claims = {
        "over-seeds": over,
        "open": {"left": "t/high/x", "op": "exceeds", "right": "t/near/x"},
        "one-seed": {"left": "t/one/x", "op": "exceeds", "right": "t/low/x"},
        "one-seed-open": {"left": "t/one/x", "op": "exceeds", "right": "t/near/x"},
        "about-seeds": over,
        "counted": {"left": "t/larger/x", "op": "exceeds", "right": "t/exact/x"},
        "not-run": {"left": "t/high/x", "op": "exceeds", "right": "t/absent/x"},
    }
    made = [
        Claim(key, key, "here", read_statement({"all": [content]}, "here"), about_seeds=key == "about-seeds")
        for key, content in claims.items()
    ]
    shown = {place: replace(each, drawn=replace(each.drawn, seeds=None)) for place, each in CELLS.items()}
    scope = ClaimScope("the paper", "core", ReportScope("paper", comparable=True, runs=()))
    table = judge_claims(made, replace(NUMBERS, shown=shown), PRINTED, scope)
    assert list(table["verdict"])[:4] == ["holds", "undecided", "one seed only", "undecided"]
    family = family_of(table, scope)
    assert (family["claims"], family["judged"], family["decided"]) == (7, 2, 1)
    assert family["comparisons"] == 3 - 1  # that of the claim that was not run has no draws
    assert "7 claims; 2 of them are judged by intervals over seeds, and 1 of these" in family["sentence"]


def test_a_number_over_seeds_is_not_called_by_one_seed() -> None:
    """A column shows seed 42; a claim that reads it is judged on all seeds, unless it is about the very seeds."""
    cell = Quantity(constant(1.0), label="LoRA", runs=("run-a", "run-b"))
    cells = {("t", "lora", "x"): cell, ("t", "lora", "y"): replace(cell, runs=("run-a",))}
    claim = Claim("c", "c", "here", statement(assume(0), "below", {"largest": ["t/lora/x", "t/lora/y"]}))
    headers = {"t": {"x": "Seed 42 (%)", "y": "Seed 42 (%)"}}
    found = labelled(claim, cells, headers, {"run-a": 42, "run-b": 43})
    assert [each.label for each in found.values()] == ["LoRA, Mean over seeds (%)", "LoRA, Seed 42 (%)"]


def test_a_largest_value_says_which_it_is() -> None:
    found = worth(read_operand({"largest": ["t/low/x", "t/high/x"]}, "here"), NUMBERS)
    assert found.label == "largest of 2, high" and found.runs == ("run-low", "run-high")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"left": "t/a", "op": "exceeds", "right": "t/b/x"}, "compares the curve 't/a'"),
        ({"left": {"peak": "t/a/x"}, "op": "exceeds", "right": "t/b/x"}, "does not match"),
        ({"left": {"largest": ["figure1/x"]}, "op": "exceeds", "right": "t/b/x"}, "numbers, not curves"),
        ({"left": {"minus": ["t/a/x"]}, "op": "exceeds", "right": "t/b/x"}, "too short"),
        ({"left": {"median": ["t/a/x"]}, "op": "exceeds", "right": "t/b/x"}, "'median' was unexpected"),
        ({"left": "t/a/x", "op": "==", "right": "t/b/x"}, "'==' is not one of"),
        ({"left": "t/a/x", "op": "exceeds", "right": 5}, "5 is not of type 'object'"),
        ({"left": "t/a/x", "op": "exceeds", "right": "t/b/x", "margin": 20}, "20 is not of type 'object'"),
        ({"left": "t/a/x", "op": "exceeds", "right": "t/b/x", "margin": "half"}, "'half_printed' was expected"),
        ({"left": "t/a/x", "op": "exceeds", "right": "t/b/x", "margin": {"assume": 20}}, "'because' is a required"),
        ({"left": "t/a/x", "op": "exceeds", "right": "t/b/x", "margin": assume(-1)}, "margin -1"),
        ({"left": "t/a/x", "op": "exceeds", "right": "t/b/x", "factor": assume(0)}, "factor 0"),
        ({"left": "t/a/x", "op": "within", "right": "t/b/x", "factor": assume(0.5)}, "factor 0.5"),
        ({"left": "t/a/x", "op": "within", "right": "t/b/x", "factor": assume(2), "margin": assume(1)}, "a factor and"),
        ({"left": "t/a/x", "op": "within"}, "'right' is a required"),
        ({"ascending": ["t/a/x"]}, "too short"),
        ({"any": [], "all": []}, "valid under each of"),
        ({"descending": ["t/a/x", "t/b/x"], "op": "exceeds"}, "'descending' was unexpected"),
    ],
)
def test_statements_that_are_refused(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    write(tmp_path, {"wrong": {"sentence": "S.", "where": "table 1", "all": [content]}})
    with pytest.raises(InputError, match=message):
        load_claims(tmp_path / "claims.yaml", SCHEMA)


def write(folder: Path, claims: dict[str, Any], **rest: Any) -> None:
    (folder / "claims.yaml").write_text(yaml.safe_dump({**rest, "claims": claims}, sort_keys=False))


def test_a_claim_in_each_reading(tmp_path: Path) -> None:
    part = {"left": "t/a/<alpha>", "op": "exceeds", "right": {"largest": ["t/b/<alpha>", "t/c/x"]}}
    claim = {"reading": "alpha", "sentence": "it grows.", "where": "table 1", "all": [part]}
    readings = {"alpha": {"ratio": "With one", "held": "With the other"}}
    write(tmp_path, {"grows": claim}, readings=readings)
    first, second = load_claims(tmp_path / "claims.yaml", SCHEMA)
    assert (first.key, second.key) == ("grows-ratio", "grows-held")
    assert second.sentence == "With the other, it grows."
    assert [leaf.text for leaf in leaves_of(second.statement)] == ["t/a/held", "t/b/held", "t/c/x"]
    write(tmp_path, {"grows": {**claim, "reading": "beta"}}, readings=readings)
    with pytest.raises(InputError, match=r"reading 'beta'.*Known: alpha"):
        load_claims(tmp_path / "claims.yaml", SCHEMA)
    plain = {name: value for name, value in claim.items() if name != "reading"}
    write(tmp_path, {"grows": claim, "grows-held": plain}, readings=readings)
    with pytest.raises(InputError, match="'grows-held' appears twice"):
        load_claims(tmp_path / "claims.yaml", SCHEMA)


def test_places() -> None:
    kinds = {text: read_operand(text, "here") for text in ("table1/a/b", "base/m/b", "data/d/cut")}
    assert [leaf.kind for leaf in kinds.values()] == [LeafKind.CELL, LeafKind.BASE, LeafKind.COUNT]  # type: ignore[union-attr]
    assert all(isinstance(leaf, Leaf) and leaf.text == text for text, leaf in kinds.items())
    with pytest.raises(InputError, match=r"names 'table1'.*output/row/column"):
        read_operand("table1", "here")


def test_the_schema_takes_what_the_paper_itself_contradicts(tmp_path: Path) -> None:
    claim = {
        "sentence": "S.",
        "where": "table 1",
        "contradicted_by": {"where": "table 2", "because": "it prints 3"},
        "paper": "later",
        "at_least": 1,
        "of": [{"left": "t/a/x", "op": "exceeds", "right": "t/b/x"}],
    }
    write(tmp_path, {"c": claim})
    (found,) = load_claims(tmp_path / "claims.yaml", SCHEMA)
    assert found.contradicted_by == "table 2: it prints 3" and found.paper == "later"
    with pytest.raises(InputError, match="'all'"):
        check_against({"claims": {"c": {**claim, "all": claim["of"]}}}, SCHEMA, "claims.yaml")
