"""Dynamic sampling: a slow obvious version, bounds, and what other processes see."""

from hypothesis import given
from hypothesis import strategies as st

from rlvr.train.resampling import Rollouts, draw_others, groups_without_spread, refill, round_seed

GROUP = 3


def world(rewards_of):
    """Rows of a data set, a sampler whose completions name problem and draw, and a score that looks rewards up."""
    drawn = []

    def sample(prompts):
        texts = [f"{prompt}#{len(drawn) + place}" for place, prompt in enumerate(prompts)]
        drawn.extend(prompts)
        return Rollouts(list(prompts), [[text] for text in texts], texts, [[-1.0] for _ in texts])

    def score(rows, rollouts):
        return [rewards_of[row["prompt"]][place % GROUP] for place, row in enumerate(rows)]

    return sample, score


REWARDS = st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=GROUP, max_size=GROUP), min_size=6, max_size=12)


@given(REWARDS, st.integers(0, 4), st.integers(0, 99))
def test_as_a_loop_over_single_groups_would(table, rounds, seed):
    rewards_of = {f"p{number}": rewards for number, rewards in enumerate(table)}
    names = list(rewards_of)
    rows = [{"prompt": name} for name in names[:4] for _ in range(GROUP)]
    prompts = [row["prompt"] for row in rows]
    sample, score = world(rewards_of)
    rollouts = sample(list(prompts))
    before = list(rollouts.completions)

    def draw(number, count):
        others = draw_others(len(names), range(4), count, round_seed(seed, 7, 0, number))
        return [{"prompt": names[place]} for place in others]

    extra = refill(rows, prompts, rollouts, GROUP, rounds, draw, sample, score)

    flat = [name for name in names if len(set(rewards_of[name])) == 1]
    expected, sampled = names[:4], 0
    for number in range(rounds):
        waiting = [place for place, name in enumerate(expected) if name in flat]
        if not waiting:
            break
        found = [row["prompt"] for row in draw(number, len(waiting))]
        sampled += GROUP * len(waiting)
        for place, name in zip(waiting, found, strict=True):
            expected[place] = expected[place] if name in flat else name
    assert extra == sampled
    assert prompts == [row["prompt"] for row in rows] == [name for name in expected for _ in range(GROUP)]
    for place, text in enumerate(rollouts.completions):
        assert text.split("#")[0] == prompts[place] == rollouts.prompt_ids[place]
        assert rollouts.completion_ids[place] == [text]
        assert (text == before[place]) == (prompts[place] == names[:4][place // GROUP])


def test_other_problems_are_not_those_in_use_until_none_is_left():
    found = draw_others(10, [0, 1, 2], 7, 5)
    assert sorted(found) == [3, 4, 5, 6, 7, 8, 9]
    assert found == draw_others(10, [0, 1, 2], 7, 5) != draw_others(10, [0, 1, 2], 7, 6)
    assert sorted(draw_others(4, [0, 1], 4, 5)) == [0, 1, 2, 3]


def test_a_process_with_nothing_to_replace_samples_along_and_keeps_what_it_has():
    rewards_of = {"p0": [0.0, 1.0, 1.0], "p1": [1.0, 1.0, 0.0]}
    sample, score = world(rewards_of)
    rows = [{"prompt": "p0"} for _ in range(GROUP)]
    prompts = ["p0"] * GROUP
    rollouts = sample(list(prompts))
    before = list(rollouts.completions)
    extra = refill(rows, prompts, rollouts, GROUP, 2, lambda *_: [{"prompt": "p1"}], sample, score, lambda _: True)
    assert extra == 2 * GROUP and rollouts.completions == before and prompts == ["p0"] * GROUP


def test_equal_rewards_are_equal_numbers():
    assert groups_without_spread([0.1 + 0.2, 0.3, 0.3, 0.3], 2) == [1]
