import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from hf_rumor import RumorClassifier
from hf_rumor.errors import ModelError
from hf_rumor.models.trained import compute_side_by_side


def test_bf16_is_near_fp32(folder, texts):
    exact, near = (
        RumorClassifier.from_pretrained(folder, precision=kind).probabilities(texts) for kind in ("fp32", "bf16")
    )
    assert 0 < abs(exact - near).max() < 0.1


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
@pytest.mark.parametrize(("has_amx", "is_chosen"), [(False, True), (True, False)])
def test_plain_products_score_in_bf16_where_there_is_no_amx(folder, monkeypatch, has_amx, is_chosen):
    chosen = []
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: has_amx)
    monkeypatch.setattr("hf_rumor.models.trained.attend_shortly", chosen.append)
    RumorClassifier.from_pretrained(folder, precision="bf16")
    assert bool(chosen) == is_chosen


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
@pytest.mark.parametrize("is_possible", [True, False])
def test_linear_layers_are_fused_in_bf16_where_the_processor_can(folder, monkeypatch, is_possible):
    fused = []
    monkeypatch.setattr("hf_rumor.models.trained.is_fusing_possible", lambda: is_possible)
    monkeypatch.setattr("hf_rumor.models.trained.fuse_linear_layers", fused.append)
    RumorClassifier.from_pretrained(folder)
    assert not fused
    RumorClassifier.from_pretrained(folder, precision="bf16")
    assert bool(fused) == is_possible


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice is made on a CPU")
def test_the_last_layer_is_that_of_the_first_token(folder, monkeypatch):
    narrowed = []
    monkeypatch.setattr("hf_rumor.models.trained.narrow_last_layer", narrowed.append)
    RumorClassifier.from_pretrained(folder)
    assert len(narrowed) == 1


@pytest.mark.parametrize(
    ("num_threads", "num_batches", "share"),
    [(2, 5, 1), (6, 3, 2), (6, 9, 2), (8, 9, 2), (5, 9, 5), (1, 3, 1), (2, 1, 2), (2, 0, None)],
)
def test_batches_side_by_side_keep_their_order_and_share_the_threads(num_threads, num_batches, share):
    before, shares = torch.get_num_threads(), set()

    def compute(arrays):
        shares.add(torch.get_num_threads())
        return arrays["input_ids"] * 2

    batches = [{"input_ids": np.full((1, 2), number)} for number in range(num_batches)]
    try:
        torch.set_num_threads(num_threads)
        found = compute_side_by_side(compute, batches)
        after = torch.get_num_threads()
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(torch.get_num_threads).result()
    finally:
        torch.set_num_threads(before)
    assert [logits.tolist() for logits in found] == [[[2 * number] * 2] for number in range(num_batches)]
    assert (shares - {share}, after, later) == (set(), num_threads, num_threads)


def test_in_bf16_on_a_cpu_batches_are_computed_side_by_side(folder, texts, monkeypatch):
    told = []

    def watched(compute, batches):
        told.append(len(batches))
        return compute_side_by_side(compute, batches)

    monkeypatch.setattr("hf_rumor.models.trained.compute_side_by_side", watched)
    for precision in ("fp32", "bf16"):
        RumorClassifier.from_pretrained(folder, precision=precision).probabilities(texts, batch_size=2)
    assert told == ([] if torch.cuda.is_available() else [-(-len(texts) // 2)])


def test_an_error_side_by_side_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()

    def fail(arrays):
        raise RuntimeError("no memory")

    try:
        torch.set_num_threads(2)
        with pytest.raises(RuntimeError, match="no memory"):
            compute_side_by_side(fail, [{}, {}])
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)


def test_an_encoder_without_a_head_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "encoder")
    config = BertConfig.from_pretrained(folder)
    BertModel(config).save_pretrained(tmp_path / "encoder")
    with pytest.raises(ModelError, match="expected a trained classifier, found an encoder without classifier"):
        RumorClassifier.from_pretrained(tmp_path / "encoder")


def test_pickled_weights_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(ModelError, match="expected a classifier with safetensors weights"):
        RumorClassifier.from_pretrained(tmp_path / "pickled")


def test_a_folder_that_is_not_there_is_told_at_once():
    with pytest.raises(ModelError, match="/no/such/folder: expected a folder with a model, found none"):
        RumorClassifier.from_pretrained("/no/such/folder")
