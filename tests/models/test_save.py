import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.save import save_model


TEXTS = ["今天天气很好 Good", "今天停水"]


@pytest.fixture
def saved(tmp_path, tiny_encoder):
    torch.manual_seed(0)
    model, tokenizer = load_encoder(str(tiny_encoder), "sigmoid", 32)
    save_model(model, tokenizer, tmp_path, {"threshold": 0.5})
    return model, tokenizer, tmp_path


@pytest.mark.parametrize(
    ("activation", "problem_type"),
    [("sigmoid", "multi_label_classification"), ("softmax", "single_label_classification")],
)
def test_labels_and_problem_type_round_trip(tmp_path, tiny_encoder, activation, problem_type):
    model, tokenizer = load_encoder(str(tiny_encoder), activation, 32)
    save_model(model, tokenizer, tmp_path, {"threshold": 0.5})
    config = AutoModelForSequenceClassification.from_pretrained(tmp_path).config
    assert config.id2label == {0: "non-rumor", 1: "rumor"}
    assert config.label2id == {"non-rumor": 0, "rumor": 1}
    assert config.problem_type == problem_type
    assert config.hf_rumor == {"threshold": 0.5}


def test_a_reloaded_model_computes_the_same_logits(saved):
    model, tokenizer, folder = saved
    reloaded = AutoModelForSequenceClassification.from_pretrained(folder)
    batch = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    assert batch["input_ids"].tolist() == tokenizer(TEXTS, padding=True, return_tensors="pt")["input_ids"].tolist()
    with torch.inference_mode():
        assert torch.equal(reloaded(**batch).logits, model.eval()(**batch).logits)


def test_a_saved_folder_contains_no_pickle_and_is_readable_by_other_users(saved):
    names = {path.name for path in saved[2].iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert (saved[2] / "model.safetensors").stat().st_mode & 0o044
