import json
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from hf_rumor import RumorClassifier
from hf_rumor.errors import ModelError


def test_bf16_is_close_to_fp32(folder, texts):
    exact, approximate = (
        RumorClassifier.from_pretrained(folder, precision=kind).probabilities(texts) for kind in ("fp32", "bf16")
    )
    assert 0 < abs(exact - approximate).max() < 0.1


def test_an_encoder_without_a_head_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "encoder")
    config = BertConfig.from_pretrained(folder)
    BertModel(config).save_pretrained(tmp_path / "encoder")
    with pytest.raises(ModelError, match=r"not a trained classifier, since classifier.bias is missing"):
        RumorClassifier.from_pretrained(tmp_path / "encoder")


def test_pickled_weights_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model.bin is not loaded"):
        RumorClassifier.from_pretrained(tmp_path / "pickled")


def test_a_folder_that_does_not_exist_is_refused():
    with pytest.raises(ModelError, match="/no/such/folder: not a folder with a model"):
        RumorClassifier.from_pretrained("/no/such/folder")


def test_a_weight_that_does_not_belong_to_the_model_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "score.bias": torch.zeros(2)}, tmp_path / "model" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"score.bias does not belong to BertForSequenceClassification"):
        RumorClassifier.from_pretrained(tmp_path / "model")


def test_a_tokenizer_without_padding_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["pad_token"]
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match="the tokenizer has no padding token"):
        RumorClassifier.from_pretrained(tmp_path / "model")


def test_predicting_imports_no_library_of_training(folder):
    code = "import sys; from hf_rumor import RumorClassifier as C; C.from_pretrained(sys.argv[1]).predict(['停']);"
    code += "print(sorted({'datasets', 'evaluate', 'sklearn', 'matplotlib', 'pandas'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
