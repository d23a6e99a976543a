import shutil
import subprocess
import sys
import textwrap

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.errors import ModelError


def test_neither_torch_nor_transformers_is_needed(exported, texts):
    code = """
        import sys
        for name in ("torch", "transformers", "datasets", "sklearn", "scipy", "accelerate", "evaluate", "pandas"):
            sys.modules[name] = None  # importing it fails
        from hf_rumor import RumorClassifier
        texts = sys.stdin.read().split()
        for prediction in RumorClassifier.from_pretrained(sys.argv[1], backend="onnx").predict(texts):
            print(prediction.rumor_probability)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(exported.folder)]
    done = subprocess.run(command, input=" ".join(texts), capture_output=True, text=True, check=True)
    expected = RumorClassifier.from_pretrained(exported.source).probabilities(texts)
    assert [float(line) for line in done.stdout.split()] == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
def test_an_incomplete_folder_is_refused(exported, tmp_path, name):
    shutil.copytree(exported.folder, tmp_path / "broken")
    (tmp_path / "broken" / name).unlink()
    with pytest.raises(ModelError, match=f"no {name}, so it is not an export"):
        RumorClassifier.from_pretrained(tmp_path / "broken", backend="onnx")


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
def test_a_corrupt_file_is_refused(exported, tmp_path, name):
    shutil.copytree(exported.folder, tmp_path / "broken")
    (tmp_path / "broken" / name).write_bytes(b"{")
    with pytest.raises(ModelError, match="the export is corrupt"):
        RumorClassifier.from_pretrained(tmp_path / "broken", backend="onnx")


def test_without_onnxruntime_the_error_names_the_command(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"pip install onnxruntime tokenizers"):
        RumorClassifier.from_pretrained(exported.folder, backend="onnx")
