import pytest
import torch

from hf_rumor.models.encoders import load_model
from hf_rumor.models.logits import predict_logits


TEXTS = ["今天天气很好", "停水", "今天天气很好今天天气很好今天天气很好", "", "明天停水两小时"]


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return load_model("mini", "sigmoid", 64)


def test_logits_stand_in_the_order_of_the_texts(mini):
    together = predict_logits(*mini, TEXTS, max_length=64, batch_size=2)
    backwards = predict_logits(*mini, TEXTS[::-1], max_length=64, batch_size=2)
    torch.testing.assert_close(together, backwards.flip(0), atol=1e-5, rtol=1e-5)


def test_padding_does_not_change_a_prediction(mini):
    together = predict_logits(*mini, TEXTS, max_length=64, batch_size=5)
    alone = torch.cat([predict_logits(*mini, [text], max_length=64) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_a_text_is_cut_off_at_max_length(mini):
    long, cut = predict_logits(*mini, ["天气" * 50, "天气" * 5], max_length=8)
    torch.testing.assert_close(long, cut, atol=1e-5, rtol=1e-5)


def test_no_texts_give_no_logits(mini):
    assert predict_logits(*mini, [], max_length=8).shape == (0, 2)
