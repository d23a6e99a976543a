import pytest
import torch
from datasets import Dataset
from transformers import BertConfig, BertForSequenceClassification, TrainingArguments

from hf_rumor.training.losses import make_loss
from hf_rumor.training.trainer import RumorTrainer


NUM_POSTS = 10


@pytest.fixture
def tiny_model():
    """Return a function that makes the same two-layer BERT each time, without dropout."""

    def make(**config):
        torch.manual_seed(0)
        settings = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **config}
        return BertForSequenceClassification(
            BertConfig(
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=32,
                num_labels=2,
                **{"vocab_size": 50, **settings},
            )
        )

    return make


@pytest.fixture
def tiny_posts():
    """Return ten tokenized posts of unequal length."""
    generator = torch.Generator().manual_seed(1)
    lengths = [3, 9, 4, 12, 7, 5, 11, 6, 10, 8][:NUM_POSTS]
    ids = [torch.randint(5, 50, (length,), generator=generator).tolist() for length in lengths]
    return Dataset.from_dict(
        {
            "input_ids": ids,
            "attention_mask": [[1] * length for length in lengths],
            "label": [0, 1, 1, 0, 1, 0, 0, 1, 1, 0],
        }
    )


def pad(rows):
    """Pad ten tokenized posts to one length: the collator of these tests."""
    width = max(len(row["input_ids"]) for row in rows)
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows]),
        "attention_mask": torch.tensor(
            [row["attention_mask"] + [0] * (width - len(row["input_ids"])) for row in rows]
        ),
        "labels": torch.tensor([row["label"] for row in rows]),
    }


@pytest.fixture
def make_trainer(tiny_model, tiny_posts, tmp_path):
    """Return a function that makes a trainer of the tiny model: plain SGD, so that a step is the gradient."""

    def make(
        *,
        loss="bce",
        loss_kwargs=None,
        layer_lr_decay=1.0,
        adversarial_radius=0.0,
        model=None,
        posts=None,
        training=None,
        **arguments,
    ):
        settings = {
            "output_dir": str(tmp_path / "out"),
            "use_cpu": True,
            "optim": "sgd",
            "learning_rate": 0.1,
            "lr_scheduler_type": "constant",
            "max_grad_norm": 0.0,
            "weight_decay": 0.0,
            "save_strategy": "no",
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            "train_sampling_strategy": "sequential",
            "report_to": "none",
            **arguments,
        }
        posts = tiny_posts if posts is None else posts
        return RumorTrainer(
            loss=make_loss(loss, loss_kwargs),
            layer_lr_decay=layer_lr_decay,
            adversarial_radius=adversarial_radius,
            model=tiny_model() if model is None else model,
            args=TrainingArguments(**settings),
            data_collator=pad,
            train_dataset=posts if training is None else training,
            eval_dataset=posts,
        )

    return make
