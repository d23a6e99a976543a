import io
import json
import random
from contextlib import redirect_stdout
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor import cli
from hf_rumor.inference.scoring import predict_logits
from hf_rumor.training.models import load_model, save_model


WORDS = ["小城", "河边", "昨夜", "停水", "听说", "下雪", "速转", "公园", "涨价", "其实", "12", "NBA", "！", "。"]


def make_texts(num_texts, seed=0):
    generator = random.Random(seed)
    return ["".join(generator.choices(WORDS, k=generator.randint(1, 40))) for _ in range(num_texts)]


@pytest.fixture(scope="session")
def texts():
    """Return 100 invented texts of one to eighty characters."""
    return make_texts(100)


@pytest.fixture(scope="session")
def save(tmp_path_factory, tiny_encoder):
    """Return a function that saves a small model with such facts, which tells texts apart; it returns the folder."""

    def make(activation="sigmoid", **facts):
        torch.manual_seed(0)
        model, tokenizer = load_model(str(tiny_encoder), activation, 64, pooling="mean")
        model.bert.embeddings.word_embeddings.weight.data.mul_(20)  # random ones say too little of the text
        logits = predict_logits(model, tokenizer, make_texts(100), max_length=64)
        model.classifier.weight.data.div_(logits.std(dim=0)[:, None])
        model.classifier.bias.data.copy_(-logits.mean(dim=0) / logits.std(dim=0))
        folder = tmp_path_factory.mktemp("model")
        save_model(model, tokenizer, folder, {"threshold": 0.5, "abstain_below": None, "max_length": 64, **facts})
        return folder

    return make


@pytest.fixture(scope="session")
def folder(save):
    """Return a folder with a small model."""
    return save()


@pytest.fixture(scope="session")
def exported(save, texts, tmp_path_factory):
    """Return a `source` with a threshold of its own, the `folder` to which the verb exported it, what it `printed`."""
    source, room = save(threshold=0.3, abstain_below=0.7), tmp_path_factory.mktemp("export")
    posts = [json.dumps({"text": text, "label": number % 2}) for number, text in enumerate(texts)]
    (room / "posts.jsonl").write_text("\n".join(posts), encoding="utf-8")
    flags = ["--output_dir", str(room / "onnx"), "--data_path", str(room / "posts.jsonl")]
    with redirect_stdout(io.StringIO()) as printed:
        assert cli.main(["export", str(source), *flags]) == 0
    return SimpleNamespace(source=source, folder=room / "onnx", printed=printed.getvalue(), flags=flags)


@pytest.fixture
def make_small():
    """Return a function that makes a classifier of a kind with small layers, always the same, in evaluation mode."""

    def make(kind):
        torch.manual_seed(0)
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
        return AutoModelForSequenceClassification.from_config(
            AutoConfig.for_model(kind, vocab_size=90, **sizes)
        ).eval()

    return make


@pytest.fixture
def inputs():
    """Return three posts of eleven tokens for it, two of them padded."""
    ids = torch.randint(5, 90, (3, 11), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 4:] = mask[2, 1:] = 0
    return {"input_ids": ids, "attention_mask": mask}
