import json
from dataclasses import asdict

import numpy as np
import onnx
import pytest

from hf_rumor import RumorClassifier, cli
from hf_rumor.errors import ModelError, OutputError
from hf_rumor.inference import export as module
from hf_rumor.inference.export import Variant, export_model


@pytest.fixture(scope="module")
def exported(folder, texts, tmp_path_factory):
    """Return what was exported in fp32."""
    return export_model(str(folder), tmp_path_factory.mktemp("export") / "onnx", texts, precision="fp32")


def test_onnx_says_what_torch_says(folder, exported, texts):
    [torch_variant, onnx_variant] = exported.variants
    assert (torch_variant.name, onnx_variant.name) == ("torch, fp32", "onnx, fp32")
    assert onnx_variant.largest_difference < 1e-4
    assert onnx_variant.agreement == 1.0
    assert exported.num_posts == len(texts)
    found = RumorClassifier.from_pretrained(exported.folder, backend="onnx").predict(texts, batch_size=7)
    expected = RumorClassifier.from_pretrained(folder).predict(texts)
    assert [of.predicted for of in found] == [of.predicted for of in expected]


def test_the_folder_is_complete_and_keeps_the_facts(save, texts, tmp_path):
    exported = export_model(str(save(threshold=0.3, abstain_below=0.7)), tmp_path / "onnx", texts, precision="fp32")
    names = {path.name for path in exported.folder.iterdir()}
    assert {"model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json", "comparison.json"} <= names
    compared = json.loads((exported.folder / "comparison.json").read_text("utf-8"))
    assert compared == {"num_posts": 100, "variants": [asdict(variant) for variant in exported.variants]}
    facts = RumorClassifier.from_pretrained(exported.folder, backend="onnx").facts
    assert (facts.threshold, facts.abstain_below, facts.max_length) == (0.3, 0.7, 64)
    assert [path.name for path in tmp_path.iterdir()] == ["onnx"]


def test_int8_is_smaller_and_near(folder, texts, tmp_path):
    exported = export_model(str(folder), tmp_path / "int8", texts, precision="int8", force=True)
    _, variant = exported.variants
    assert variant.name == "onnx, int8"
    assert 0 < variant.largest_difference < 0.2
    kinds = {weights.data_type for weights in onnx.load(exported.folder / "model.onnx").graph.initializer}
    assert kinds & {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}


def test_a_post_that_int8_leaves_undecided_is_decided_otherwise(save, texts, tmp_path, monkeypatch):
    told = iter([np.array([0.1, 0.95, 0.96, 0.3]), np.array([0.1, 0.85, 0.97, 0.2])])
    monkeypatch.setattr(module, "_time", lambda classifier, chosen: (next(told), 1.0))
    unsure = str(save(abstain_below=0.9))
    exported = export_model(unsure, tmp_path / "int8", texts, precision="int8", force=True)
    assert exported.variants[1].agreement == 0.75  # .95 is a rumor, .85 is uncertain; .3 and .2 both are


def test_a_model_that_decides_otherwise_is_not_written_unless_forced(folder, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FLIPS", -0.001)
    with pytest.raises(ModelError, match="expected int8 to change at most"):
        export_model(str(folder), tmp_path / "int8", texts, precision="int8")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(module, "FP32_BOUND", -1.0)
    with pytest.raises(ModelError, match="expected probabilities within -1 of torch"):
        export_model(str(folder), tmp_path / "fp32", texts, precision="fp32")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused(folder, texts, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match="expected an empty folder"):
        export_model(str(folder), tmp_path, texts, precision="fp32")


def test_posts_of_all_lengths_are_compared(monkeypatch):
    monkeypatch.setattr(module, "MOST_POSTS", 3)
    assert module._of_all_lengths(["aaaa", "a", "aaa", "aa", "aaaaa"]) == ["a", "aaa", "aaaaa"]
    assert module._of_all_lengths(["b"]) == ["b"]


def test_the_verb_prints_the_comparison(folder, tmp_path, capsys, monkeypatch, texts):
    posts = tmp_path / "posts.jsonl"
    rows = [json.dumps({"text": text, "label": n % 2}) for n, text in enumerate(texts)]
    posts.write_text("\n".join(rows), encoding="utf-8")
    flags = ["export", str(folder), "--output_dir", str(tmp_path / "onnx"), "--data_path", str(posts)]
    assert cli.main(flags) == 0
    told = capsys.readouterr().out
    assert "| onnx, fp32 | " in told
    assert {line.count("|") for line in told.splitlines()[:4]} == {6}
    assert cli.main(flags) == 2


def test_the_table_has_a_row_for_each_variant(tmp_path):
    variants = [
        Variant("torch, fp32", 0.0, 1.0, 100.0, 2_000_000),
        Variant("onnx, int8", 0.001, 0.995, 250.4, 500_000),
    ]
    text = module.to_text(module.Exported(tmp_path, 512, variants))
    assert "| onnx, int8 | 1.0e-03 | 99.5% | 250 | 0.5 |" in text
