"""The index of what outputs select from, against the comparison of every fact with every condition."""

from hypothesis import given
from hypothesis import strategies as st

from rlvr.plan.selection import BASE, STEP, Candidates, matches, select

VALUES = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b", BASE]), st.just(2.0), st.just([1, 2]))
FACTS = st.dictionaries(st.sampled_from(["method", "rank", STEP]), VALUES, max_size=3)
CONDITIONS = st.lists(
    st.dictionaries(st.sampled_from(["method", "rank", STEP]), VALUES | st.lists(VALUES, max_size=3), max_size=2),
    max_size=3,
)


def slowly(candidates, conditions):
    """Every candidate, every condition; an untrained base answers for its own facts only, if it is asked for."""
    asked_for = any(BASE in (value if isinstance(value, list) else [value])
                    for each in conditions for name, value in each.items() if name == "method")  # fmt: skip
    asked_for_step = any(STEP in each for each in conditions)
    found = []
    for name, facts in candidates.items():
        if facts.get(STEP) is not None and not asked_for_step:
            met = False
        elif facts.get("method") == BASE:
            own = [{key: value for key, value in each.items() if key in facts} for each in conditions]
            met = asked_for and all(matches(facts, each) for each in own)
        else:
            met = all(matches(facts, each) for each in conditions)
        found += [name] * met
    return tuple(found)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), FACTS, max_size=6), CONDITIONS)
def test_the_index_selects_what_a_comparison_with_all_selects(candidates, conditions):
    indexed = Candidates(candidates)
    assert select(indexed, conditions) == select(candidates, conditions) == slowly(candidates, conditions)
    assert select(indexed, conditions) == slowly(candidates, conditions), "a second question gets the same answer"
