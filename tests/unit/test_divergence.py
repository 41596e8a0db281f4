"""Divergences from sampled tokens: closed forms, slow versions, and what a sampler says of its own draws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import small_model, token_batch

from rlvr.train.divergence import TokenMeans, cut_to, kl_of_samples, recorded_sampling

LOGITS = st.lists(st.floats(-8, 8), min_size=2, max_size=9)


@given(LOGITS, st.data())
def test_its_mean_over_all_tokens_is_the_divergence(logits, data):
    p = torch.tensor(logits, dtype=torch.float64).log_softmax(0)
    q = torch.tensor(
        data.draw(st.lists(st.floats(-8, 8), min_size=len(logits), max_size=len(logits))), dtype=torch.float64
    ).log_softmax(0)
    exact = (p.exp() * (p - q)).sum().item()
    values = kl_of_samples(q - p)
    assert (values >= 0).all()
    assert (p.exp() * values).sum().item() == pytest.approx(exact, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6])
def test_small_divergences_keep_their_digits(distance):
    exact = math.fsum(distance**n / math.factorial(n) for n in range(2, 12))
    found = kl_of_samples(torch.tensor(distance, dtype=torch.float64)).item()
    assert found == pytest.approx(exact, rel=1e-6 if distance > 1e-6 else 1e-3)
    naive = torch.tensor(distance).exp() - torch.tensor(distance) - 1
    assert distance > 1e-4 or abs(naive.item() / exact - 1) > 0.1, "float32 would have done"


@given(st.lists(st.lists(st.floats(0, 9), min_size=1, max_size=5), min_size=1, max_size=5))
def test_means_are_those_of_all_tokens_however_they_are_cut(parts):
    means = TokenMeans()
    for part in parts:
        means.add("x", sum(part), len(part))
    means.add("none", 0.0, 0)
    assert means.drain() == {"x": pytest.approx(np.mean(np.concatenate(parts)), abs=1e-12)}
    assert means.drain() == {}


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.8)])
def test_the_sampler_records_what_it_drew_and_draws_as_before(temperature, top_p):
    model, prompts = small_model(), token_batch()
    asked = {"max_new_tokens": 7, "do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
    torch.manual_seed(3)
    plain = model.generate(prompts, **asked)
    torch.manual_seed(3)
    with recorded_sampling(model, temperature) as recorded:
        drawn = model.generate(prompts, **asked)
    assert torch.equal(plain, drawn) and "generate" not in vars(model)
    for row, tokens, found in zip(prompts, drawn, recorded[0], strict=True):
        for place in range(len(tokens) - len(row)):
            with torch.no_grad():  # one prefix at a time, without a cache
                logits = model(tokens[None, : len(row) + place]).logits[0, -1]
            expected = (logits / temperature).log_softmax(0)[tokens[len(row) + place]]
            assert found[place].item() == pytest.approx(expected.item(), abs=1e-5)
            if tokens[len(row) + place] == model.generation_config.eos_token_id:
                break


def test_log_probabilities_end_with_their_completion():
    found = cut_to(torch.tensor([[-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0]]), [[7, 2], [7, 8, 2]])
    assert found == [[-1.0, -2.0], [-4.0, -5.0, -6.0]]
