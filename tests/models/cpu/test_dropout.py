import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hf_rumor.models.cpu.dropout import BulkDropout


def dropped(values, p=0.1, **kwargs):
    with BulkDropout():
        return F.dropout(values, p, **kwargs)


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.9])
def test_p_is_dropped_over_the_calls(p):
    torch.manual_seed(0)
    shares = [dropped(torch.ones(10_001), p).eq(0).double().mean().item() for _ in range(400)]
    assert sum(shares) / len(shares) == pytest.approx(p, abs=4e-4)
    assert max(shares) - min(shares) < 0.04


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_mean_stays_in_each_call(p):
    torch.manual_seed(0)
    for _ in range(5):
        values = dropped(torch.ones(400_001), p)
        assert values.mean().item() == pytest.approx(1, abs=2e-2)
        assert values.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=0.04)


def test_every_place_and_its_neighbour_are_independent():
    torch.manual_seed(0)
    zeros = dropped(torch.ones(20_000, 8), 0.5).eq(0).double()
    assert zeros.mean(0).tolist() == pytest.approx([0.5] * 8, abs=0.02)
    assert torch.corrcoef(zeros.T).fill_diagonal_(0).abs().max() < 0.04


def test_equal_seeds_give_equal_masks_and_the_next_call_another():
    values = torch.randn(7, 33)
    torch.manual_seed(0)
    first, second = dropped(values), dropped(values)
    torch.manual_seed(0)
    assert torch.equal(dropped(values), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_goes_where_the_value_went(dtype):
    values = torch.ones(5, 3, 7, dtype=dtype, requires_grad=True)
    out = dropped(values, 0.5)
    out.sum().backward()
    assert out.dtype == dtype
    assert torch.equal(values.grad, out.detach())


@pytest.mark.parametrize("kwargs", [{"training": False}, {"p": 0.0}])
def test_nothing_is_dropped_where_nothing_should_be(kwargs):
    values = torch.randn(50)
    assert torch.equal(dropped(values, **kwargs), values)


def test_what_is_left_to_torch():
    values = torch.ones(50)
    assert not dropped(values, 0.999999).any()
    assert not dropped(values, 1.0).any()
    assert dropped(values, 0.5, inplace=True) is values
    with pytest.raises(ValueError, match="between 0 and 1"):
        dropped(values, 1.5)


def test_a_module_is_taken_over_and_others_are_not():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    values = torch.randn(64, 4)
    with BulkDropout():
        torch.manual_seed(1)
        inside = layer(values)
    torch.manual_seed(1)
    assert not torch.equal(inside, layer(values))
    assert torch.equal(inside[inside != 0], (layer[0](values) * 2)[inside != 0])
