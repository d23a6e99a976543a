from types import SimpleNamespace

import pytest
import torch

from hf_rumor import RumorClassifier
from hf_rumor.models.cpu.dropout import BulkDropout
from hf_rumor.models.cpu.parallel import compute_side_by_side
from hf_rumor.models.cpu.speed import speed_up_training


def arguments(device="cpu", **values):
    return SimpleNamespace(**{"device": torch.device(device), "bf16": False, "torch_compile": False, **values})


@pytest.mark.parametrize(("bf16", "attention"), [(True, "short_posts"), (False, "sdpa")])
def test_training_in_bf16_uses_plain_products_for_attention(tiny_model, bf16, attention):
    model = tiny_model()
    speed_up_training(model, arguments(bf16=bf16))
    assert model.config._attn_implementation == attention


@pytest.mark.parametrize(
    ("args", "length"), [(arguments(), 1), (arguments(torch_compile=True), 3), (arguments("cuda"), 3)]
)
def test_training_narrows_the_last_layer_and_draws_dropout_in_bulk_unless_compiled(tiny_model, args, length):
    model = tiny_model()
    context = speed_up_training(model, args)
    assert model.base_model(torch.tensor([[1, 2, 3]])).last_hidden_state.shape[1] == length
    assert isinstance(context, BulkDropout) == (length == 1)


def test_a_model_without_a_configuration_is_not_changed():
    assert isinstance(speed_up_training(torch.nn.Linear(2, 2), arguments(bf16=True)), BulkDropout)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_can_be_switched_off(folder, texts, monkeypatch, precision):
    fast = RumorClassifier.from_pretrained(folder, precision=precision).probabilities(texts)
    monkeypatch.setattr("hf_rumor.models.cpu.speed.speed_up_scoring", None)
    plain = RumorClassifier.from_pretrained(folder, precision=precision, speed_up=False).probabilities(texts)
    assert plain == pytest.approx(fast, abs=1e-5 if precision == "fp32" else 0.1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
@pytest.mark.parametrize(("has_amx", "is_chosen"), [(False, True), (True, False)])
def test_plain_products_score_in_bf16_where_there_is_no_amx(folder, monkeypatch, has_amx, is_chosen):
    chosen = []
    monkeypatch.setattr("hf_rumor.models.cpu.speed.has_amx", lambda: has_amx)
    monkeypatch.setattr("hf_rumor.models.cpu.speed.attend_shortly", chosen.append)
    RumorClassifier.from_pretrained(folder, precision="bf16")
    assert bool(chosen) == is_chosen


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
@pytest.mark.parametrize("is_possible", [True, False])
def test_linear_layers_are_fused_in_bf16_where_the_processor_can(folder, monkeypatch, is_possible):
    fused = []
    monkeypatch.setattr("hf_rumor.models.cpu.speed.is_fusing_possible", lambda: is_possible)
    monkeypatch.setattr("hf_rumor.models.cpu.speed.fuse_linear_layers", fused.append)
    RumorClassifier.from_pretrained(folder)
    assert not fused
    RumorClassifier.from_pretrained(folder, precision="bf16")
    assert bool(fused) == is_possible


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
def test_the_last_layer_computes_the_first_token_only(folder, monkeypatch):
    narrowed = []
    monkeypatch.setattr("hf_rumor.models.cpu.speed.narrow_last_layer", narrowed.append)
    RumorClassifier.from_pretrained(folder)
    assert len(narrowed) == 1


def test_in_bf16_on_a_cpu_batches_are_computed_side_by_side(folder, texts, monkeypatch):
    num_batches = []

    def watched(compute, batches):
        num_batches.append(len(batches))
        return compute_side_by_side(compute, batches)

    monkeypatch.setattr("hf_rumor.models.cpu.speed.compute_side_by_side", watched)
    for precision in ("fp32", "bf16"):
        RumorClassifier.from_pretrained(folder, precision=precision).probabilities(texts, batch_size=2)
    assert num_batches == ([] if torch.cuda.is_available() else [-(-len(texts) // 2)])
