import shutil

import pytest
import torch
from transformers import BertConfig, BertModel

from hf_rumor import RumorClassifier
from hf_rumor.errors import ModelError


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
    monkeypatch.setattr("hf_rumor.inference.loading.attend_shortly", chosen.append)
    RumorClassifier.from_pretrained(folder, precision="bf16")
    assert bool(chosen) == is_chosen


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
