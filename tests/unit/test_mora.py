"""MoRA: the definition in plain loops, shapes that do not divide, gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import settings_of, small_model

from rlvr.adapters.methods import METHODS
from rlvr.adapters.mora.mora_layer import apply_mora, check_side, dense_update, rotate, side
from rlvr.core.errors import InputError


def slow_update(x, matrix, rows):
    """One vector through the definition, number by number."""
    size, cols, out = len(matrix), len(x), []
    for group in range(-(-cols // size)):
        chunk = [x[(group * size + i) % cols] for i in range(size)]
        turned = list(chunk)
        for i in range(size // 2):
            angle = group * 10000 ** (-2 * i / size)
            one, two = chunk[i], chunk[i + size // 2]
            turned[i] = one * math.cos(angle) - two * math.sin(angle)
            turned[i + size // 2] = two * math.cos(angle) + one * math.sin(angle)
        out += [sum(matrix[o][i] * turned[i] for i in range(size)) for o in range(size)]
    out = out[:rows]
    return [out[i % len(out)] for i in range(rows)]


@given(st.integers(1, 4), st.integers(2, 24), st.integers(2, 24), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_update_is_the_definition_for_any_shape(half, rows, cols, seed):
    size = min(2 * half, rows // 2 * 2, cols // 2 * 2)
    generator = torch.Generator().manual_seed(seed)
    matrix, x = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in ((size, size), (cols,)))
    expected = torch.tensor(slow_update(x.tolist(), matrix.tolist(), rows), dtype=torch.float64)
    torch.testing.assert_close(apply_mora(x, matrix, rows), expected)
    torch.testing.assert_close(dense_update(matrix, rows, cols) @ x, expected)


def test_a_narrowing_module_ignores_its_later_inputs_and_a_widening_one_repeats_itself():
    matrix = torch.randn(4, 4)
    assert not dense_update(matrix, 6, 20)[:, 8:].any() and dense_update(matrix, 6, 20)[:, :8].any()
    wide = dense_update(matrix, 20, 8)
    assert torch.equal(wide[:8], wide[8:16]) and torch.equal(wide[:4], wide[16:])


def test_rotation_keeps_lengths_and_leaves_the_first_group_alone():
    groups = torch.randn(3, 5, 8, dtype=torch.float64)
    torch.testing.assert_close(rotate(groups).norm(dim=-1), groups.norm(dim=-1))
    assert torch.equal(rotate(groups)[:, 0], groups[:, 0])


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    x, matrix = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in ((2, 7), (4, 4)))
    inputs = (x.requires_grad_(True), matrix.requires_grad_(True))
    assert torch.autograd.gradcheck(lambda one, two: apply_mora(one, two, 9), inputs)


def test_the_side_is_the_root_of_the_parameters_of_lora_rounded_then_made_even():
    assert [side(2, 16, 16), side(2, 16, 48), side(2, 48, 16), side(8, 4096, 4096)] == [8, 10, 10, 256]


@pytest.mark.parametrize(("rank", "rows", "cols"), [(8, 4096, 4096), (16, 4096, 12288), (64, 1024, 4096)])
def test_the_square_matrix_has_about_the_parameters_of_lora_and_an_even_side(rank, rows, cols):
    size = side(rank, rows, cols)
    assert size % 2 == 0 and size**2 == pytest.approx(rank * (rows + cols), rel=0.02)


def test_a_square_matrix_larger_than_the_weight_is_refused_with_a_rank_that_fits():
    with pytest.raises(InputError, match=r"module 'm': rank 256 makes a square matrix of side 1144.*at most 204"):
        check_side(256, "m", 1024, 4096)
    check_side(204, "m", 1024, 4096)


def test_merged_weights_are_the_base_plus_the_update():
    model = METHODS["mora"].attach(small_model(), settings_of("mora"))
    layer = model.model.model.layers[0].mlp.down_proj
    with torch.no_grad():
        layer.mora_matrix["default"].normal_(generator=torch.Generator().manual_seed(0))
    weight, x = layer.base_layer.weight.detach().clone(), torch.randn(3, 48)
    expected = layer(x)
    layer.merge(safe_merge=True)
    torch.testing.assert_close(layer.base_layer.weight, weight + layer.get_delta_weight("default"))
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-5)
    layer.unmerge()
    torch.testing.assert_close(layer.base_layer.weight, weight)
