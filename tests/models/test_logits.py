import pytest
import torch

from hf_rumor.models import logits
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig, as_posts
from hf_rumor.models.logits import predict_logits


POSTS = as_posts(["今天天气很好", "停水", "今天天气很好今天天气很好今天天气很好", "", "明天停水两小时"])
LONG = InputConfig(64)


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return load_encoder("mini", "sigmoid", 64)


def test_logits_are_in_the_order_of_the_posts(mini):
    together = predict_logits(*mini, POSTS, LONG, batch_size=2)
    backwards = predict_logits(*mini, POSTS[::-1], LONG, batch_size=2)
    torch.testing.assert_close(together, backwards.flip(0), atol=1e-5, rtol=1e-5)


def test_windows_do_not_change_the_order(mini, monkeypatch):
    whole = predict_logits(*mini, POSTS, LONG, batch_size=1)
    monkeypatch.setattr(logits, "WINDOW", 2)
    torch.testing.assert_close(predict_logits(*mini, POSTS, LONG, batch_size=1), whole)


def test_padding_does_not_change_a_prediction(mini):
    together = predict_logits(*mini, POSTS, LONG, batch_size=5)
    alone = torch.cat([predict_logits(*mini, [post], LONG) for post in POSTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_a_post_is_truncated_at_the_maximum_length(mini):
    long, cut = predict_logits(*mini, as_posts(["天气" * 50, "天气" * 5]), InputConfig(8))
    torch.testing.assert_close(long, cut, atol=1e-5, rtol=1e-5)


def test_no_posts_give_no_logits(mini):
    assert predict_logits(*mini, [], InputConfig(8)).shape == (0, 2)


def test_scoring_computes_in_full_precision_whatever_training_used(mini, monkeypatch):
    precisions = []
    real = logits.make_batches
    monkeypatch.setattr(
        logits, "make_batches", lambda *args: precisions.append(torch.backends.fp32_precision) or real(*args)
    )
    with torch.backends.flags(fp32_precision="tf32"):
        predict_logits(*mini, POSTS, LONG)
        assert (precisions, torch.backends.fp32_precision) == (["ieee"], "tf32")
