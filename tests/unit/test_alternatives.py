"""One expression for many names: it matches these, no others, and is short where names are products."""

import re
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from rlvr.plan.alternatives import one_of

NAMES = st.text(alphabet="ab_.-^]\\|1é", max_size=6)


@given(st.sets(NAMES, max_size=12), st.sets(NAMES, max_size=12))
def test_it_matches_exactly_the_names(names: set[str], others: set[str]) -> None:
    found = re.compile(one_of(names))
    for name in names | others | {f"{name}{name}" for name in names} | {name[:-1] for name in names}:
        assert bool(found.fullmatch(name)) == (name in names), (found.pattern, name)


@given(st.sets(st.from_regex(r"[a-c]{1,3}(_[a-c]{1,2}){0,3}", fullmatch=True), min_size=1, max_size=20))
def test_a_path_gives_the_name_back(names: set[str]) -> None:
    """As Snakemake asks for it: a named group between fixed texts."""
    path = re.compile(f"train/(?P<run_id>{one_of(names)})/run\\.json$")
    for name in names:
        found = path.match(f"train/{name}/run.json")
        assert found is not None and found["run_id"] == name


def test_what_is_the_same_behind_several_parts_is_written_once() -> None:
    assert one_of(["a_s42", "a_s43", "b_s42", "b_s43"]) == "[ab]_s4[23]"
    assert one_of(["lora", "lora_t10", "lora_t20"]) == "lora(?:_t[12]0)?"
    assert one_of([]) == "(?!)"


def test_thousands_of_runs_take_no_more_than_their_parts() -> None:
    methods = [f"{family}-r{rank}" for family in ("lora", "dora", "quanta-d3-no-kv") for rank in (8, 16, 64)]
    seeds = [f"s{seed}" for seed in range(10_000, 10_500)]
    names = ["_".join(parts) for parts in product(("qwen3-8b", "llama-3.1-8b"), methods, ("bs64",), seeds)]
    assert len(names) == 9000
    assert len(one_of(names)) < 200
