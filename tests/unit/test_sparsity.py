"""Updates as bfloat16 storage sees them: definition, two examples and proposition of "The Path Not Taken"."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlvr.spectra.sparsity import (
    ENTRIES_AT_A_TIME,
    ETA,
    as_stored,
    changed_by_definition,
    count_changed,
    exact_sparsity,
    fixed_tolerance_sparsity,
    rounding_floor,
    sparsity,
    update_mask,
)

FINITE_CODES = [code for code in range(-(2**15), 2**15) if (code & 0x7F80) != 0x7F80]


def every_finite_bfloat16() -> torch.Tensor:
    return torch.tensor(FINITE_CODES, dtype=torch.int16).view(torch.bfloat16)


def pair(before: float, after: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([before], dtype=torch.float64), torch.tensor([after], dtype=torch.float64)


def test_a_fixed_tolerance_calls_equal_storage_changed():
    """Appendix D.1, first example: 1024.001 and 1024.002 are both stored as 1024, whose spacing is 8."""
    before, after = pair(1024.001, 1024.002)
    assert fixed_tolerance_sparsity(before, after, 1e-5) == 0.0  # "changed"
    assert as_stored(before) == as_stored(after) == 1024
    assert sparsity(before, after) == 1.0


def test_a_fixed_tolerance_calls_different_storage_equal():
    """Appendix D.1, second example: 1e-6 and 2e-6 lie many spacings apart and differ by less than 1e-5."""
    before, after = pair(1e-6, 2e-6)
    assert fixed_tolerance_sparsity(before, after, 1e-5) == 1.0  # "equal"
    codes = [int(as_stored(side).view(torch.int16)) for side in (before, after)]
    assert codes[1] - codes[0] == 128  # one binade; the paper counts 134 of the spacing at 2^-20, 1e-6 / 2^-27
    assert sparsity(before, after) == 0.0


def test_definition_and_equality_of_storage_agree_on_every_neighbour():
    """Proposition D.3 for every finite number against the next one, and for zeros of either sign."""
    numbers = every_finite_bfloat16().sort().values
    assert changed_by_definition(numbers[:-1], numbers[1:]).sum() == len(numbers) - 2  # all but -0.0 against 0.0
    assert torch.equal(changed_by_definition(numbers[:-1], numbers[1:]), update_mask(numbers[:-1], numbers[1:]))
    assert not changed_by_definition(numbers, numbers).any()


def test_the_smallest_relative_gap_is_attained_across_a_power_of_two():
    """Lemma D.1 says more than 2^-8 also there; it is 2^-8 exactly, still far above eta."""
    numbers = every_finite_bfloat16().double().unique()
    normal = numbers[numbers >= 2.0**-126]
    gaps = normal.diff() / normal[1:]
    assert float(gaps.min()) == 2.0**-8 > 2 * ETA


@given(st.integers(0, 2**31), st.sampled_from([1, 7, ENTRIES_AT_A_TIME - 1, ENTRIES_AT_A_TIME + 3]))
@settings(deadline=None, max_examples=20)
def test_the_fast_count_is_the_sum_of_the_mask(seed, size):
    generator = torch.Generator().manual_seed(seed)
    before, after = (
        torch.randint(0, len(FINITE_CODES), (size,), generator=generator).apply_(lambda i: FINITE_CODES[i])
        for _ in range(2)
    )
    before, after = (codes.to(torch.int16).view(torch.bfloat16) for codes in (before, after))
    same = torch.rand(size, generator=generator) < 0.5
    after = torch.where(same, before, after)
    assert count_changed(before, after) == int(changed_by_definition(before, after).sum())


@given(arrays("float32", 40, elements=st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0**-133])), st.permutations(range(40)))
@settings(deadline=None, max_examples=40)
def test_signed_zeros_are_equal_and_subnormals_are_not_zero(values, order):
    before = torch.tensor(values).to(torch.bfloat16)
    after = before[order]
    assert count_changed(before, after) == int((before.double() != after.double()).sum())


def test_any_layout_and_type_is_counted():
    before = torch.randn(30, 20, dtype=torch.float64)
    after = before.clone()
    after[3:5] += 1
    assert count_changed(before.T, after.T) == count_changed(before, after) == 40
    assert sparsity(before.float(), after.float()) == pytest.approx(1 - 40 / 600)


def test_a_larger_step_lifts_updates_over_the_spacing():
    """Section 2.3: sparsity of one and the same update vanishes as it is scaled up."""
    generator = torch.Generator().manual_seed(0)
    base, update = (torch.randn(200, 200, generator=generator) for _ in range(2))
    found = [sparsity(base, base + scale * update) for scale in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)]
    assert found == sorted(found, reverse=True) and found[0] > 0.99 and found[-1] < 0.05


def test_the_rounding_floor_is_the_error_that_rounding_makes():
    base = torch.randn(400, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    error = float((as_stored(base).double() - base).norm())
    assert rounding_floor(base) == pytest.approx(error, rel=0.01)
    assert rounding_floor(torch.full((4,), 1.5)) == pytest.approx(2 * 2.0**-7 / 12**0.5)  # two entries' worth: sqrt(4)
    assert rounding_floor(torch.zeros(3)) == 0.0


def test_without_rounding_every_float_moves_and_a_coarser_type_is_compared_in_itself():
    before = torch.tensor([1.0, 2.0, 3.0, 0.1])
    after = before + torch.tensor([0.0, 1e-6, 1.0, 0.0])
    assert exact_sparsity(before, after) == 0.5 and sparsity(before, after) == 0.75
    assert exact_sparsity(before, before.to(torch.bfloat16)) == 1.0  # 0.1 is another number in float32
