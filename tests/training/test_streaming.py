from itertools import product

import pytest
import torch
from datasets import Dataset

from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.training import streaming
from hf_rumor.training.streaming import PostStream


TEXTS = [f"{'停水' * (n % 13 + 1)}{n}" for n in range(103)]


@pytest.fixture
def tokenizer():
    return load_encoder("mini", "sigmoid", 64)[1]


@pytest.fixture
def posts():
    return Dataset.from_dict({"id": list(map(str, range(103))), "text": TEXTS, "label": [n % 2 for n in range(103)]})


@pytest.fixture
def make(posts, tokenizer, monkeypatch):
    monkeypatch.setattr(streaming, "MOST_BATCHES_SORTED_AT_ONCE", 4)

    def stream(seed=0, grouped=True):
        return PostStream(posts, tokenizer, InputConfig(20), batch_size=8, grouped=grouped, seed=seed)

    return stream


def lengths(rows):
    return [len(row["input_ids"]) for row in rows]


def test_every_post_is_seen_once_with_its_label(make, tokenizer):
    rows = list(make())
    expected = tokenizer(TEXTS, truncation=True, max_length=20)["input_ids"]
    assert sorted((row["input_ids"], row["label"]) for row in rows) == sorted(
        (ids, n % 2) for n, ids in enumerate(expected)
    )
    assert rows[0].keys() == {"input_ids", "attention_mask", "token_type_ids", "label"}
    assert len(make()) == len(rows)


def test_posts_of_a_batch_have_similar_lengths_and_batches_are_in_random_order(make):
    batches = [lengths(list(make())[start : start + 8]) for start in range(0, 96, 8)]
    spread = sum(max(batch) - min(batch) for batch in batches) / len(batches)
    plain = lengths(list(make(grouped=False))[:8])
    assert spread < 6 < max(plain) - min(plain)
    assert [batch[0] for batch in batches] != sorted([batch[0] for batch in batches], reverse=True)


def test_the_order_depends_on_seed_and_epoch(make):
    orders = set()
    for seed, epoch in product((0, 1), repeat=2):
        stream = make(seed)
        stream.set_epoch(epoch)
        order = [tuple(row["input_ids"]) for row in stream]
        assert order == [tuple(row["input_ids"]) for row in stream]
        orders.add(tuple(order))
    assert len(orders) == 4


def test_a_run_resumed_in_the_middle_of_an_epoch_equals_the_uninterrupted_one(
    make, make_trainer, tiny_model, tokenizer, tmp_path
):
    def trainer(name):
        model = tiny_model(hidden_dropout_prob=0.1, vocab_size=len(tokenizer))
        settings = {"per_device_train_batch_size": 4, "save_strategy": "steps", "save_steps": 20}
        settings |= {"num_train_epochs": 2, "output_dir": str(tmp_path / name)}
        return make_trainer(model=model, training=make(), **settings)

    whole, resumed = trainer("whole"), trainer("resumed")
    whole.train()
    assert whole.state.global_step == 52  # epochs are whole passes
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-40"))
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
