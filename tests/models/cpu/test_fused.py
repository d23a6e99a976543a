import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.models.cpu.attention import PLAIN_MODELS
from hf_rumor.models.cpu.fused import FusedLinear, fuse_linear_layers, is_fusing_possible


pytestmark = pytest.mark.skipif(not is_fusing_possible(), reason="this processor has no products in bf16")


@pytest.mark.parametrize(("name", "activation"), [("none", nn.Identity()), ("gelu", nn.GELU())])
@pytest.mark.parametrize("has_bias", [True, False])
def test_it_is_a_linear_layer_and_its_activation_rounded_once(name, activation, has_bias):
    torch.manual_seed(0)
    linear = nn.Linear(24, 40, bias=has_bias, dtype=torch.bfloat16)
    x = torch.randn(3, 5, 24, dtype=torch.bfloat16)
    with torch.inference_mode():
        found = FusedLinear(linear, name)(x)
        expected = activation(linear.float()(x.float())).bfloat16()
    torch.testing.assert_close(
        found, expected, rtol=2**-7, atol=1e-5
    )  # one step of bf16, where fp32 sums in another order


@pytest.mark.parametrize("kind", [*PLAIN_MODELS, "distilbert"])
def test_a_model_answers_as_before(kind):
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    own = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64} if kind == "distilbert" else sizes
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, vocab_size=90, **own)).eval()
    ids = torch.randint(5, 90, (3, 11))
    with torch.inference_mode():
        exact = model(ids).logits
        fuse_linear_layers(model.bfloat16())
        fused = model(ids).logits
    assert not any(type(module) is nn.Linear for module in model.modules())
    torch.testing.assert_close(fused.float(), exact, rtol=0, atol=0.02)


@pytest.mark.parametrize(("name", "is_fused"), [("gelu", True), ("gelu_new", False)])
def test_the_exact_gelu_goes_into_the_product_before_it_and_others_stay(name, is_fused):
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("bert", hidden_act=name, **sizes))
    layer = model.bert.encoder.layer[0].intermediate
    before = layer.intermediate_act_fn
    fuse_linear_layers(model)
    assert layer.dense.activation == ("gelu" if is_fused else "none")
    assert isinstance(layer.intermediate_act_fn, nn.Identity) if is_fused else layer.intermediate_act_fn is before


def test_a_layer_that_is_not_linear_stays():
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    config = AutoConfig.for_model("convbert", num_groups=2, embedding_size=32, vocab_size=90, **sizes)
    model = AutoModelForSequenceClassification.from_config(config).bfloat16().eval()
    ids = torch.arange(5, 16)[None]
    with torch.inference_mode():
        expected = model(ids).logits
        fuse_linear_layers(model)
        torch.testing.assert_close(model(ids).logits, expected, rtol=0, atol=0.02)
