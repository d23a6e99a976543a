import builtins

import pytest
import torch

from hf_rumor.errors import ArgumentError
from hf_rumor.models.lora import add_lora, classifier_in, linear_layers, merge_lora, parts_of_head


INPUTS = torch.randint(5, 90, (3, 12), generator=torch.Generator().manual_seed(0))


def logits_of(model):
    with torch.inference_mode():
        return model.eval()(input_ids=INPUTS).logits


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("bert", ["classifier", "bert.pooler"]),
        ("albert", ["classifier", "albert.pooler"]),
        ("deberta-v2", ["pooler", "classifier"]),
        ("roberta", ["classifier"]),
    ],
)
def test_the_head_and_the_linear_layers_are_all_linear_layers_without_overlap(make_small, kind, head):
    model = make_small(kind)
    assert parts_of_head(model) == head
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    of_head = {name for name in linear if f"{name}.".startswith(tuple(f"{part}." for part in head))}
    assert sorted(linear - of_head) == sorted(linear_layers(model))


def test_only_adapters_and_head_are_trained_and_a_merge_keeps_the_logits(make_small):
    model = make_small("bert")
    before = logits_of(model)
    adapted = add_lora(model, r=3, alpha=6, dropout=0.5)
    torch.testing.assert_close(logits_of(adapted), before, rtol=0, atol=0)
    trained = {name for name, value in adapted.named_parameters() if value.requires_grad}
    assert {name for name in trained if ".pooler." not in name and ".classifier." not in name} == {
        name for name, _ in adapted.named_parameters() if ".lora_" in name
    }
    assert any(".pooler." in name for name in trained)
    assert any(".classifier." in name for name in trained)
    with torch.no_grad():
        for value in adapted.parameters():
            if value.requires_grad:
                value.add_(0.1 * torch.ones_like(value))
    after = logits_of(adapted)
    assert not torch.allclose(after, before, atol=1e-2)
    merged = merge_lora(adapted)
    assert type(merged) is type(make_small("bert"))
    assert merged.state_dict().keys() == make_small("bert").state_dict().keys()
    torch.testing.assert_close(logits_of(merged), after, rtol=0, atol=1e-6)


def test_other_models_stay(make_small):
    model = make_small("bert")
    assert merge_lora(model) is classifier_in(model) is model
    assert classifier_in(add_lora(model, r=2, alpha=2, dropout=0.0)) is model


def test_without_peft_the_error_names_the_extra(make_small, monkeypatch):
    imported = builtins.__import__
    missing = lambda name, *rest: imported("no_such_module" if name == "peft" else name, *rest)  # noqa: E731
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(
        ArgumentError, match=r"--lora_r 2: peft is not installed\. Run: pip install 'hf_rumor\[lora\]'"
    ):
        add_lora(make_small("bert"), r=2, alpha=2, dropout=0.0)
