import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.save import save_model
from hf_rumor.report.record import to_json
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


def test_a_model_of_hf_rumor_is_described_with_its_loss(folder):
    model, name = folder(
        formula="BCEWithLogitsLoss on one-hot labels", kwargs={}, threshold=0.4, inputs={"max_length": 32}
    )
    description = describe_model(name)
    assert description.num_parameters == model.num_parameters()
    assert description.architecture == "BertForSequenceClassification"
    assert description.activation == "gelu"
    assert description.head == "bert.pooler.dense 320x320 -> classifier 2x320"
    assert description.trained_with == "BCEWithLogitsLoss on one-hot labels"
    assert description.outputs_loss.startswith("BCEWithLogitsLoss")
    assert description.probability.startswith("sigmoid")
    assert (description.threshold, description.max_tokens) == (0.4, 32)
    assert "1 = rumor" in to_text(description)


def test_another_model_is_described_without_guessing(folder):
    _, name = folder("softmax")
    description = describe_model(name)
    assert description.trained_with is None
    assert description.threshold is None
    assert description.outputs_loss.startswith("CrossEntropyLoss")
    assert "not trained by hf_rumor" in to_text(description)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere"])
def test_a_missing_folder_is_an_error(name):
    with pytest.raises(ModelError, match="not a folder with a model"):
        describe_model(name)


def test_a_folder_without_a_model_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="not a transformers model"):
        describe_model(str(tmp_path))


def test_a_model_that_is_not_available_is_an_error():
    with pytest.raises(ModelError, match="is unreachable"):
        describe_model("someone/some-model")


def test_the_score_of_a_model_is_that_of_the_report_beside_it(folder, make_report):
    _, name = folder(
        formula="BCE", kwargs={}, threshold=0.4, abstain_below=0.7, calibration="platt", inputs={"max_length": 32}
    )
    assert describe_model(name).score is None
    assert "unknown: no report.json beside it" in to_text(describe_model(name))
    report = make_report(data={"path": "/home/someone/posts.jsonl"})
    report.test.intervals["roc_auc"] = (float("nan"), float("nan"))
    (Path(name) / "report.json").write_text(to_json(report), encoding="utf-8")
    text = to_text(describe_model(name))
    for words in (
        *("posts.jsonl, 4,321 posts, SHA-256 5ca1ab1e", "grouped, seed 42: 3,000 training posts, 1,000 test posts."),
        *("accuracy        0.750 [0.625, 0.875]", "roc_auc         1.000\n", "no significant difference; +25.0 pp"),
        *("2026-11-23", "platt", "below a confidence of 0.7", "The model sees only wording"),
    ):
        assert words in text
    assert "/home/someone" not in text
    assert "warning" not in text


def test_the_accuracy_at_each_deadline_is_described_if_the_model_reads_reposts(folder, make_report, early):
    _, name = folder()
    for part, shown in ((early, True), (None, False)):
        report = replace(make_report(), early=part)
        (Path(name) / "report.json").write_text(to_json(report), encoding="utf-8")
        text = to_text(describe_model(name))
        assert ("with reposts    accuracy 0.900 [0.880, 0.920] at 10min, 0.930 [0.910, 0.950] at 1h" in text) == shown


def test_a_model_trained_on_synthetic_posts_is_described_with_a_warning(folder, make_report):
    _, name = folder()
    (Path(name) / "report.json").write_text(to_json(make_report(data={"is_synthetic": True})), encoding="utf-8")
    assert "the score does not apply to real posts" in to_text(describe_model(name))


def test_a_report_from_before_a_metric_was_added_is_described(folder, make_report):
    _, name = folder()
    report = make_report(test={"macro_f1": float("nan")})
    del report.test.intervals["macro_f1"]
    (Path(name) / "report.json").write_text(to_json(report), encoding="utf-8")
    assert "macro_f1        n/a\n" in to_text(describe_model(name))


def test_a_report_that_is_corrupt_is_an_error(folder):
    _, name = folder()
    (Path(name) / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="not a report of hf_rumor"):
        describe_model(name)


def test_neither_torch_nor_transformers_is_imported(folder):
    _, name = folder()
    code = "from hf_rumor.runs.describe import describe_model; import sys; describe_model(sys.argv[1]);"
    code += "print({'torch', 'transformers', 'datasets'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
