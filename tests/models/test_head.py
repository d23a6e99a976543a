import pytest
import torch
from torch import nn

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.calibration import Platt
from hf_rumor.models.head import apply_lines, find_head, fold_into_head


LINES = (Platt(0.5, 0.25), Platt(1.75, -0.5))


def test_the_folded_model_gives_the_calibrated_logits(tiny_model):
    model = tiny_model().eval()
    ids = torch.randint(5, 50, (7, 9), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        fold_into_head(model, LINES)
        after = model(input_ids=ids).logits
    torch.testing.assert_close(after.double(), apply_lines(LINES, before), atol=1e-6, rtol=0)


def test_a_head_without_bias_gets_one():
    torch.manual_seed(0)
    model = nn.Linear(4, 2, bias=False)
    x = torch.randn(3, 4)
    expected = apply_lines(LINES, model(x))
    fold_into_head(model, LINES)
    torch.testing.assert_close(model(x).double(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("model", [nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))])
def test_a_model_without_one_head_is_refused(model):
    with pytest.raises(ModelError, match="take --calibration none"):
        find_head(model, 2)
