import json
from pathlib import Path

import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.save import save_model
from hf_rumor.runs.describe import describe_model, to_text


@pytest.fixture
def folder(tmp_path):
    def make(activation="sigmoid", **facts):
        model, tokenizer = load_encoder("mini", activation, 32)
        if facts:
            save_model(model, tokenizer, tmp_path, facts)
        else:
            model.save_pretrained(tmp_path)
        return model, str(tmp_path)

    return make


def test_a_model_of_ours_is_described_with_its_loss(folder):
    model, name = folder(
        formula="BCEWithLogitsLoss on one-hot labels", kwargs={}, threshold=0.4, inputs={"max_length": 32}
    )
    description = describe_model(name)
    assert description.num_parameters == model.num_parameters()
    assert description.architecture == "BertForSequenceClassification"
    assert description.activation == "gelu"
    assert "pooler" in description.head
    assert "classifier Linear(in_features=320, out_features=2" in description.head
    assert description.trained_with == "BCEWithLogitsLoss on one-hot labels"
    assert description.outputs_loss.startswith("BCEWithLogitsLoss")
    assert description.probability.startswith("sigmoid")
    assert (description.threshold, description.max_tokens) == (0.4, 32)
    assert "1 = rumor" in to_text(description)


def test_a_model_of_another_maker_is_described_without_guessing(folder):
    _, name = folder("softmax")
    description = describe_model(name)
    assert description.trained_with is None
    assert description.threshold is None
    assert description.outputs_loss.startswith("CrossEntropyLoss")
    assert "not trained by hf_rumor" in to_text(description)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere"])
def test_a_missing_folder_is_told(name):
    with pytest.raises(ModelError, match="expected a folder with a model, found none"):
        describe_model(name)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="expected a model of transformers"):
        describe_model(str(tmp_path))


def test_a_name_that_is_not_to_be_had_is_told():
    with pytest.raises(ModelError, match="no way to"):
        describe_model("someone/some-model")


REPORT = {
    "data": {"path": "/home/someone/posts.jsonl", "num_posts": 2709, "sha256": "5ca1ab1e" * 8},
    "split": {"name": "grouped", "seed": 3, "train": 1950, "test": 542, "num_leaking_test_posts": 0},
    "test": {
        **dict.fromkeys(("accuracy", "macro_f1", "rumor_precision", "rumor_recall", "brier"), 0.9),
        "roc_auc": None,
        "intervals": {
            **{key: [0.85, 0.95] for key in ("accuracy", "macro_f1", "rumor_precision", "rumor_recall", "brier")},
            "roc_auc": [None, None],
        },
    },
    "baseline": {"tfidf_svm": {"verdict": "better by 2.1 points, 95 % interval 0.4 to 3.9"}},
    "train": {"ended_at": "2026-11-25T12:00:00+08:00"},
}


def test_the_report_beside_a_model_tells_what_it_is_worth(folder):
    _, name = folder(
        formula="BCE", kwargs={}, threshold=0.4, abstain_below=0.7, calibration="platt", inputs={"max_length": 32}
    )
    assert describe_model(name).worth is None
    assert "unknown: no report.json beside it" in to_text(describe_model(name))
    (Path(name) / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
    text = to_text(describe_model(name))
    for told in (
        *(
            "posts.jsonl, 2,709 posts, SHA-256 5ca1ab1e5ca1",
            "grouped, seed 3: 1,950 training posts; 0 of 542 test posts",
        ),
        *("0.900 (95 % interval 0.850 to 0.950)", "not defined (95 % interval not defined to not defined)"),
        *(
            "better by 2.1 points",
            "2026-11-25",
            "platt",
            "below a confidence of 0.7",
            "It reads wording, not the world",
        ),
    ):
        assert told in text
    assert "/home/someone" not in text


@pytest.mark.parametrize("broken", ["{", "{}", '{"data": 3}', "[]"])
def test_a_report_that_is_broken_is_told(folder, broken):
    _, name = folder()
    (Path(name) / "report.json").write_text(broken, encoding="utf-8")
    with pytest.raises(ModelError, match="expected a report of hf_rumor"):
        describe_model(name)
