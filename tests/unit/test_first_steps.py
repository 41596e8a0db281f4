"""One gradient step from several starts: closed forms, and what the theorems say at a real gradient."""

import math

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.spectra.directions import decompose
from rlvr.spectra.first_steps import (
    Layer,
    Start,
    advantages,
    first_step_quantities,
    gap,
    one_step,
    residual_starts,
    zero_starts,
)  # fmt: skip
from rlvr.spectra.policy_gradients import Answered, FirstStepSettings, choose, gradients

SIZES = st.tuples(st.integers(4, 12), st.integers(4, 12), st.integers(1, 3), st.integers(0, 2**16))


def generator(seed):
    return torch.Generator().manual_seed(seed)


def matrix(rows, cols, seed):
    return torch.randn(rows, cols, generator=generator(seed), dtype=torch.float64)


@given(SIZES)
@settings(max_examples=40, deadline=None)
def test_a_step_is_what_automatic_differentiation_does(sizes):
    rows, cols, rank, seed = sizes
    gradient, up, down = matrix(rows, cols, seed), matrix(rows, rank, seed + 1), matrix(rank, cols, seed + 2)
    factors = [part.clone().requires_grad_(True) for part in (up, down)]
    (gradient * (factors[0] @ factors[1])).sum().backward()  # a linear loss has this gradient everywhere
    moved = [part.detach() - 0.01 * part.grad for part in factors]
    expected = moved[0] @ moved[1] - up @ down
    assert torch.allclose(one_step(gradient, Start(up, down), 0.01), expected, atol=1e-12)


@given(SIZES)
@settings(max_examples=40, deadline=None)
def test_the_theorems_hold_for_any_gradient(sizes):
    rows, cols, rank, seed = sizes
    layer = Layer(matrix(rows, cols, seed), matrix(rows, cols, seed + 1))
    found = first_step_quantities(layer, rank, generator(seed))
    assert found["first_step_excess"] >= 1 - 1e-5  # theorem 4.1, to leading order
    assert all(found[f"gap_{name}"] == pytest.approx(1.0, abs=1e-9) for name in ("rlpo", "rlmo", "dct", "zero"))
    assert all(found[f"step_share_{name}"] <= 1 + 1e-9 for name in ("rlpo", "rlmo", "dct"))  # proposition 5.3
    assert found["step_share_zero"] == 0


@given(SIZES)
@settings(max_examples=40, deadline=None)
def test_the_gap_equals_the_norm_of_the_whole_matrix(sizes):
    _, cols, rank, seed = sizes
    down = matrix(rank, cols, seed)
    assert gap(down) == pytest.approx(float(torch.linalg.matrix_norm(torch.eye(cols) - down.T @ down, 2)))


def test_the_gap_of_a_standard_start_is_that_of_orthonormal_rows():
    """Theorem 5.2 does not prefer orthonormal starts: at the size of a layer a Gaussian has the same factor."""
    starts = dict(zero_starts(decompose(matrix(40, 1536, 0)), 16, generator(0)))
    assert gap(starts["gaussian"]) == gap(starts["kaiming"]) == gap(starts["zero"]) == 1.0
    assert gap(2.5 * starts["rlpo"]) == pytest.approx(5.25)


def test_one_direction_by_hand():
    """W = diag(4, 1), G with ones: PiSSA's update over OLoRA's is sigma_1 = 4 exactly, for one direction kept."""
    triples = decompose(torch.diag(torch.tensor([4.0, 1.0], dtype=torch.float64)))
    ones = torch.ones(2, 2, dtype=torch.float64)
    steps = {name: one_step(ones, start, 1e-9).norm() for name, start in residual_starts(triples, 1)}
    assert float(steps["pissa"] / steps["olora"]) == pytest.approx(4.0, rel=1e-6)


def test_advantages_are_standardised_within_groups():
    found = advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]))
    half = 0.5 / math.sqrt(1 / 3)
    assert torch.allclose(found, torch.tensor([[half, -half, -half, half], [0.0] * 4]))


def frames(verdicts, tokens=5):
    keys = [(problem, sample) for problem in sorted(verdicts) for sample in range(len(verdicts[problem]))]
    shared = [{"benchmark": "b", "problem_id": problem, "sample": sample} for problem, sample in keys]
    samples = [{**key, "text": "x", "completion_tokens": tokens, "finish_reason": "stop"} for key in shared]
    grades = [
        {**key, "verdict": verdicts[problem][sample]} for key, (problem, sample) in zip(shared, keys, strict=True)
    ]
    problems = pd.DataFrame(
        {"problem_id": sorted(verdicts), "question": [f"about {name}" for name in sorted(verdicts)]}
    )
    return problems, pd.DataFrame(samples), pd.DataFrame(grades)


def test_problems_with_spread_are_chosen_in_their_order():
    verdicts = {
        "p1": ["correct", "correct"],
        "p2": ["correct", "wrong"],
        "p3": ["unparsed", "wrong"],
        "p4": ["wrong", "correct"],
    }
    found = choose(*frames(verdicts), "compact", FirstStepSettings("b", 1, 5, 9))
    assert [prompt.split("about ")[1][:2] for prompt in found.prompts] == ["p2", "p2", "p4", "p4"]
    assert found.advantages_N.tolist() == pytest.approx([2**-0.5, -(2**-0.5), -(2**-0.5), 2**-0.5])
    with pytest.raises(InputError, match="both right and wrong"):
        choose(*frames(verdicts, tokens=10), "compact", FirstStepSettings("b", 1, 5, 9))


def test_the_gradient_is_that_of_the_weighted_log_probability(tmp_path):
    """Finite differences along the gradient of one layer of a tiny model, over prompts of different length."""
    from rlvr.bases.pretrain import build_model
    from rlvr.bases.tokenizer import build_tokenizer

    tokenizer = build_tokenizer()
    torch.manual_seed(0)
    model = build_model("llama", tokenizer).double()
    answered = Answered(["ab", "abc"], [("12", True), ("3", False)], torch.tensor([0.7, -0.4]))
    found = gradients(model, tokenizer, answered)
    name = "model.layers.1.mlp.up_proj"
    weight = model.get_submodule(name).weight

    def loss():
        total = 0.0
        for prompt, (text, ended), share in zip(answered.prompts, answered.completions, (0.7, -0.4), strict=True):
            start, said = tokenizer(prompt).input_ids, tokenizer(text).input_ids + [tokenizer.eos_token_id] * ended
            with torch.no_grad():
                logits = torch.log_softmax(model(torch.tensor([start + said])).logits[0], dim=-1)
            total -= share * sum(float(logits[len(start) + place - 1, token]) for place, token in enumerate(said))
        return total / 4  # tokens

    before, slope = weight.detach().clone(), found[name].gradient
    step = 0.05 / float(slope.norm())  # norms inside the model are float32: a smaller step drowns in their rounding
    ends = []
    for sign in (1, -1):
        weight.data = before + sign * step * slope
        ends.append(loss())
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(float(slope.norm()) ** 2, rel=5e-3)
