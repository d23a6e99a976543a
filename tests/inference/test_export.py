import json
from dataclasses import asdict
from shutil import copytree

import numpy as np
import onnx
import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import main as cli
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.inference import export as module
from hf_rumor.inference.export import Variant, export_model


@pytest.fixture(scope="module")
def int8(folder, texts, tmp_path_factory):
    """Return an export in int8."""
    return export_model(str(folder), tmp_path_factory.mktemp("int8") / "onnx", texts, precision="int8", force=True)


@pytest.fixture
def written(int8, monkeypatch):
    """Copy the export in int8 instead of exporting for seven seconds."""
    monkeypatch.setattr(module, "_write", lambda name, folder, precision, revision: copytree(int8.folder, folder))


def test_onnx_predicts_what_torch_predicts(exported, texts):
    comparison = json.loads((exported.folder / "comparison.json").read_text("utf-8"))
    torch_variant, onnx_variant = comparison["variants"]
    assert (torch_variant["name"], onnx_variant["name"]) == ("torch, fp32", "onnx, fp32")
    assert onnx_variant["largest_difference"] < 1e-4
    assert onnx_variant["agreement"] == 1.0
    assert comparison["num_posts"] == len(texts)
    by_onnx = RumorClassifier.from_pretrained(exported.folder, backend="onnx").predict(texts, batch_size=7)
    by_torch = RumorClassifier.from_pretrained(exported.source).predict(texts)
    assert [prediction.predicted for prediction in by_onnx] == [prediction.predicted for prediction in by_torch]


def test_the_export_is_complete_and_has_the_facts_of_the_model(exported):
    names = {path.name for path in exported.folder.iterdir()}
    assert {"model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json", "comparison.json"} <= names
    facts = RumorClassifier.from_pretrained(exported.folder, backend="onnx").facts
    assert (facts.threshold, facts.abstain_below, facts.inputs.max_length) == (0.3, 0.7, 64)
    assert {path.name for path in exported.folder.parent.iterdir()} == {"onnx", "posts.jsonl"}


def test_the_verb_prints_the_comparison_and_does_not_overwrite_an_export(exported):
    assert "| onnx, fp32 | " in exported.printed
    assert {line.count("|") for line in exported.printed.splitlines()[:4]} == {6}
    assert cli.main(["export", str(exported.source), *exported.flags]) == 2


def test_int8_is_smaller_and_close_to_fp32(int8):
    torch_variant, variant = int8.variants
    assert variant.name == "onnx, int8"
    assert 0 < variant.largest_difference < 0.2
    assert variant.num_bytes < torch_variant.num_bytes
    assert json.loads((int8.folder / "comparison.json").read_text("utf-8")) == {
        "num_posts": 100,
        "variants": [asdict(variant) for variant in int8.variants],
    }
    kinds = {weights.data_type for weights in onnx.load(int8.folder / "model.onnx").graph.initializer}
    assert kinds & {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}


@pytest.mark.usefixtures("written")
def test_a_post_that_becomes_uncertain_counts_as_a_changed_decision(save, texts, tmp_path, monkeypatch):
    probabilities = iter([np.array([0.1, 0.95, 0.96, 0.3]), np.array([0.1, 0.85, 0.97, 0.2])])
    monkeypatch.setattr(module, "_time", lambda classifier, chosen: (next(probabilities), 1.0))
    exported = export_model(str(save(abstain_below=0.9)), tmp_path / "int8", texts, precision="int8", force=True)
    assert exported.variants[1].agreement == 0.75  # 0.95 is a rumor, 0.85 is uncertain; so are 0.3 and 0.2


@pytest.mark.usefixtures("written")
def test_an_export_that_changes_decisions_is_not_written_unless_forced(folder, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_CHANGED", -0.001)
    with pytest.raises(ModelError, match=r"int8 changes .* of the decisions, more than"):
        export_model(str(folder), tmp_path / "int8", texts, precision="int8")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelError, match="differ from those of torch by up to"):
        export_model(str(folder), tmp_path / "fp32", texts, precision="fp32")  # what is written is int8
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused(folder, texts, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match="this is not an empty folder"):
        export_model(str(folder), tmp_path, texts, precision="fp32")


def test_posts_of_all_lengths_are_compared(monkeypatch):
    monkeypatch.setattr(module, "MAX_POSTS", 3)
    assert module._of_all_lengths(["aaaa", "a", "aaa", "aa", "aaaaa"]) == ["a", "aaa", "aaaaa"]
    assert module._of_all_lengths(["b"]) == ["b"]


def test_the_table_has_a_row_for_each_variant(tmp_path):
    variants = [
        Variant("torch, fp32", 0.0, 1.0, 100.0, 2_000_000),
        Variant("onnx, int8", 0.001, 0.995, 250.4, 500_000),
    ]
    text = module.comparison_table(module.Exported(tmp_path, 512, variants))
    assert "| onnx, int8 | 1.0e-03 | 99.5% | 250 | 0.5 |" in text
