"""A prompt that is read once gives what a prompt that is read for every completion gives, bit for bit."""

import pytest
import torch
from small_models import settings_of, small_model
from transformers import GenerationConfig

from rlvr.adapters.merging import merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.bases.shared_prompts import LEAST_ROWS, pass_once, shared_prompts

LENGTH, NEW = 19, 12


def prompts(count, repeats, vocabulary, seed=0):
    """Left-padded prompts of different lengths, each in so many adjacent rows, and their mask."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, vocabulary, (count, LENGTH), generator=generator)
    mask = torch.arange(LENGTH) >= torch.randint(0, LENGTH - 1, (count, 1), generator=generator)
    ids = ids.masked_fill(~mask, 0)
    return ids.repeat_interleave(repeats, 0), mask.long().repeat_interleave(repeats, 0)


def drawn(model, ids, mask):
    """What is sampled, with the scores of every step."""
    torch.manual_seed(3)
    config = GenerationConfig(
        do_sample=True, top_k=0, max_new_tokens=NEW, pad_token_id=0, eos_token_id=2, output_scores=True,
        return_dict_in_generate=True,
    )  # fmt: skip
    with torch.no_grad():
        found = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    return [found.sequences, *found.scores]


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "apertus"])
@pytest.mark.parametrize(("count", "repeats"), [(1, 8), (1, 32), (8, 8), (5, 32), (100, 4), (9, 1)])
def test_samples_and_scores_are_those_of_a_pass_over_all_rows(architecture, count, repeats):
    model = small_model(architecture).eval()
    ids, mask = prompts(count, repeats, model.config.vocab_size)
    expected = drawn(model, ids, mask)
    with shared_prompts(model):
        found = drawn(model, ids, mask)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert "forward" not in vars(model)


def test_merged_adapters_share_prompts_too():
    model = METHODS["lora"].attach(small_model(), settings_of("lora")).eval()
    ids, mask = prompts(8, 8, model.config.vocab_size)
    with merged_weights(model):
        expected = drawn(model, ids, mask)
        with shared_prompts(model.get_base_model()):
            found = drawn(model, ids, mask)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_only_the_first_pass_is_shared_and_only_of_equal_neighbours(monkeypatch):
    model = small_model().eval()
    seen, plain = [], model.forward
    monkeypatch.setattr("rlvr.bases.shared_prompts.pass_once", lambda forward, inputs: pass_once(watch, inputs))

    def watch(**inputs):
        seen.append(inputs["input_ids"].shape)
        return plain(**inputs)

    ids, mask = prompts(3, 4, model.config.vocab_size)
    with shared_prompts(model):
        drawn(model, ids, mask)
        drawn(model, ids[torch.arange(12).view(3, 4).T.flatten()], mask[torch.arange(12).view(3, 4).T.flatten()])
    assert seen == [(LEAST_ROWS, LENGTH), (12, LENGTH)]


def test_equal_tokens_behind_other_masks_are_other_prompts():
    model = small_model().eval()
    ids = torch.full((2, LENGTH), 5)
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    expected = drawn(model, ids, mask)
    with shared_prompts(model):
        found = drawn(model, ids, mask)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert not torch.equal(expected[1][0], expected[1][1])


def test_a_forward_of_the_models_own_comes_back():
    model = small_model().eval()
    own = model.forward
    model.forward = own
    with shared_prompts(model):
        assert model.forward is not own
    assert vars(model)["forward"] is own
