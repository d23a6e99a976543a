import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.models.cpu.attention import NAME, PLAIN_MODELS, attend_shortly


@pytest.mark.parametrize("kind", PLAIN_MODELS)
def test_values_and_gradients_are_those_of_eager_attention(kind, inputs, make_small):
    results = []
    for is_short in (False, True):
        model = make_small(kind)
        model.set_attn_implementation("eager")
        if is_short:
            attend_shortly(model)
        logits = model(**inputs).logits
        logits.square().sum().backward()
        results.append([logits, *(value.grad for value in model.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_it_is_chosen_for_plain_models_and_not_saved(tmp_path, make_small):
    model = make_small("bert")
    attend_shortly(model)
    assert model.config._attn_implementation == NAME
    model.save_pretrained(tmp_path)
    assert NAME not in (tmp_path / "config.json").read_text()


def test_others_keep_an_attention_of_their_own():
    model = AutoModelForSequenceClassification.from_config(
        AutoConfig.for_model("distilbert", dim=24, hidden_dim=64, n_layers=1)
    )
    attend_shortly(model)
    assert model.config._attn_implementation == "eager"


def test_padding_in_bf16_under_autocast_changes_nothing(inputs, make_small):
    model = make_small("bert")
    attend_shortly(model)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        padded = model(**inputs).logits[0]
        alone = model(**{name: value[:1, :4] for name, value in inputs.items()}).logits[0]
    torch.testing.assert_close(padded, alone, rtol=0, atol=5e-3)


def test_scores_of_bf16_stay_bf16(inputs, make_small):
    model = make_small("bert")
    attend_shortly(model)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert model(**inputs, output_attentions=True).attentions[0].dtype == torch.bfloat16


def test_nothing_is_registered_before_it_is_used():
    code = f"""if True:
        import hf_rumor.models.cpu.speed
        from transformers import AttentionInterface
        print({NAME!r} in AttentionInterface().valid_keys())
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
