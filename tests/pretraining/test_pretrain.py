import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig

from hf_rumor.models.encoders import MINI_FOLDER


CHECKOUT = Path(__file__).parents[2]
SCRIPT = CHECKOUT / "pretraining" / "pretrain.py"
LINES = ["今天全市停水", "请大家相互转告。", "听说ABC银行也停业", "😂"]


@pytest.fixture(scope="module")
def pretrain():
    pytest.importorskip("jieba")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        yield importlib.import_module("pretrain")


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MINI_FOLDER)


def test_packing_loses_no_character(pretrain):
    texts = pretrain.pack(LINES * 5, 20)
    assert "".join(texts).replace("。", "") == "".join(LINES * 5).replace("。", "")
    assert max(map(len, texts)) <= 21  # a full stop between two lines is not counted


def test_each_token_has_its_word_and_its_token_of_the_teacher(pretrain, tokenizer):
    rows = pretrain.encode({"text": ["今天停水ABC"]}, tokenizer, tokenizer)
    assert tokenizer.convert_ids_to_tokens(rows["input_ids"][0])[1:-1] == ["▁今天", "停", "水", "ab", "c"]
    words = rows["words"][0].tolist()
    assert words[0] == words[6] == -1
    assert words[1] != words[2]
    assert words[4] == words[5] != words[3]
    assert rows["pieces"][0].tolist() == [-1, 1, 2, 3, 4, 5, -1]  # the teacher has the same tokens here


def test_words_are_masked_whole_and_special_tokens_never(pretrain, tokenizer):
    torch.manual_seed(0)
    words = torch.tensor([[-1, 0, 0, 1, 2, 2, 2, -1]]).repeat(4000, 1)
    input_ids = torch.tensor([[2, 1000, 1001, 1002, 1003, 1004, 1005, 3]]).repeat(4000, 1)
    masked, chosen = pretrain.mask_words(input_ids, words, 0.2, tokenizer)
    assert not chosen[:, [0, 7]].any()
    assert torch.equal(chosen[:, 1], chosen[:, 2])
    assert torch.equal(chosen[:, 4], chosen[:, 6])
    assert torch.equal(masked[~chosen], input_ids[~chosen])
    assert chosen[:, 3].float().mean() == pytest.approx(0.2, abs=0.02)
    assert (masked[chosen] == tokenizer.mask_token_id).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (masked[chosen] == input_ids[chosen]).float().mean() == pytest.approx(0.1, abs=0.02)


def test_distillation_is_measured_in_standard_deviations_of_the_teacher(pretrain):
    torch.manual_seed(0)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "vocab_size": 12, "intermediate_size": 16}
    config = BertConfig(num_hidden_layers=2, hidden_dropout_prob=0.0, compared=[1, 2], teacher_size=12, **shape)
    student = pretrain.Student(config).eval()
    ids = torch.tensor([[2, 5, 6, 7, 3, 0]])
    mask = (ids != 0).long()
    with torch.inference_mode():
        layers = student.bert(ids, mask, output_hidden_states=True).hidden_states[1:]
        targets = [head(layer) for head, layer in zip(student.to_teacher, layers, strict=True)]
        scales = [target[0, :5].std(0, correction=0) for target in targets]
        shifted = [target + scale for target, scale in zip(targets, scales, strict=True)]
        pieces = torch.tensor([[-1, 1, 2, 3, -1, -1]])
        inputs = {"attention_mask": mask, "labels": ids, "positions": torch.tensor([1]), "pieces": pieces}
        for states, loss in ((targets, 0.0), (shifted, 1.0)):
            outputs = student(ids, **inputs, targets=states, scales=scales)
            assert outputs["loss_of_teacher"] == pytest.approx(loss, rel=1e-4, abs=1e-6)


@pytest.mark.slow
def test_a_pretraining_writes_a_plain_model_and_resumes_from_its_checkpoint(tmp_path, tiny_encoder):
    pytest.importorskip("jieba")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "lines.txt").write_text("\n".join(LINES * 200), encoding="utf-8")
    corpora, out = tmp_path / "corpora", tmp_path / "out"
    flags = ["--corpora", corpora, "--tokenizer", MINI_FOLDER, "--teacher", tiny_encoder, "--output_dir", out]
    flags += ["--layers", 1, "--width", 64, "--inner", 32, "--compare", "1:1", "--batch_size", 2, "--processes", 1]

    def run(steps):
        command = [sys.executable, SCRIPT, *flags, "--max_steps", steps]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=CHECKOUT)
        assert done.returncode == 0, done.stderr

    run(2)
    assert AutoModelForMaskedLM.from_pretrained(out).dtype == torch.float16
    run(3)
    assert {path.name for path in out.glob("checkpoint-*")} == {"checkpoint-3"}
