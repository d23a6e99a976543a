import pytest
import torch
from torch import nn

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.calibration import Platt
from hf_rumor.models.head import apply_lines, can_calibrate, fold_into_head


LINES = (Platt(0.5, 0.25), Platt(1.75, -0.5))


def test_the_folded_model_computes_the_calibrated_logits(tiny_model):
    model = tiny_model().eval()
    ids = torch.randint(5, 50, (7, 9), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        fold_into_head(model, LINES)
        after = model(input_ids=ids).logits
    torch.testing.assert_close(after.double(), apply_lines(LINES, before), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (nn.Linear(4, 3), "0 linear layers with 2 outputs"),
        (nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2)), "2 linear layers with 2 outputs"),
        (nn.Linear(4, 2, bias=False), "a head without a bias"),
    ],
)
def test_only_a_model_with_one_head_with_a_bias_can_be_calibrated(model, problem):
    assert not can_calibrate(model)
    with pytest.raises(ModelError, match=f"{problem}.*Use --calibration none"):
        fold_into_head(model, LINES)
