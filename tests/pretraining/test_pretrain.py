import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from hf_rumor.training.models import MINI_FOLDER


CHECKOUT = Path(__file__).parents[2]
SCRIPT = CHECKOUT / "pretraining" / "pretrain.py"
LINES = ["今天全市停水", "请大家相互转告。", "听说ABC银行也停业", "😂"]


@pytest.fixture(scope="module")
def pretrain():
    pytest.importorskip("jieba")
    spec = importlib.util.spec_from_file_location("pretrain", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MINI_FOLDER)


def test_packing_loses_no_character(pretrain):
    texts = pretrain.pack(LINES * 5, 20)
    assert "".join(texts).replace("。", "") == "".join(LINES * 5).replace("。", "")
    assert max(map(len, texts)) <= 21  # a full stop between two lines is not counted


def test_tokens_know_their_word_and_where_the_teacher_reads_them(pretrain, tokenizer):
    rows = pretrain.encode({"text": ["今天停水ABC"]}, tokenizer, tokenizer)
    assert tokenizer.convert_ids_to_tokens(rows["input_ids"][0])[1:-1] == ["今", "天", "停", "水", "a", "##b", "##c"]
    words = rows["words"][0].tolist()
    assert words[1] == words[2] != words[3]
    assert words[5] == words[6] == words[7] != words[4]
    assert rows["pieces"][0].tolist() == [-1, 1, 2, 3, 4, 5, 6, 7, -1]  # the teacher has the same tokens here


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


@pytest.mark.slow
def test_a_pretraining_ends_with_a_plain_model_and_goes_on_from_its_checkpoint(tmp_path, tiny_encoder):
    pytest.importorskip("jieba")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "lines.txt").write_text("\n".join(LINES * 200), encoding="utf-8")

    def run(steps):
        flags = ["--corpora", tmp_path / "corpora", "--tokenizer", MINI_FOLDER, "--teacher", tiny_encoder]
        flags += ["--output_dir", tmp_path / "out", "--layers", 1, "--width", 32, "--batch_size", 2]
        command = [sys.executable, SCRIPT, *flags, "--max_steps", steps, "--processes", 1]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=CHECKOUT)
        assert done.returncode == 0, done.stderr

    run(2)
    assert AutoModelForMaskedLM.from_pretrained(tmp_path / "out").dtype == torch.float16
    run(3)
    assert {path.name for path in (tmp_path / "out").glob("checkpoint-*")} == {"checkpoint-3"}
