import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from torch import nn
from torch.nn import functional as F
from transformers import Trainer, TrainingArguments

from hf_rumor.errors import ArgumentError
from hf_rumor.models.cpu import dropout
from hf_rumor.training.trainer import RumorTrainer


def changes_by_training(trainer):
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.train()
    return {
        name: value - before[name] for name, value in trainer.model.state_dict().items() if value.is_floating_point()
    }


@pytest.fixture
def one_step(make_trainer):
    def step(num_posts, batch, accumulation, **settings):
        trainer = make_trainer(
            per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation, max_steps=1, **settings
        )
        trainer.train_dataset = trainer.train_dataset.select(range(num_posts))
        return changes_by_training(trainer)

    return step


@pytest.mark.parametrize("loss", ["bce", "ce", "focal", "mse", "torch.nn:CrossEntropyLoss", "weighted bce"])
@pytest.mark.parametrize(("num_posts", "batch", "accumulation"), [(8, 4, 2), (8, 1, 8), (10, 4, 3)])
def test_accumulated_steps_equal_one_large_step(one_step, loss, num_posts, batch, accumulation):
    kwargs = {"class_weights": [0.3, 3.0], "label_smoothing": 0.1} if loss == "weighted bce" else None
    settings = {"loss": loss.removeprefix("weighted "), "loss_kwargs": kwargs}
    reference = one_step(num_posts, num_posts, 1, **settings)
    torch.testing.assert_close(one_step(num_posts, batch, accumulation, **settings), reference, rtol=1e-4, atol=1e-7)


def test_the_step_is_the_gradient_of_the_named_loss(make_trainer, tiny_model, tiny_posts):
    trainer = make_trainer(loss="focal", per_device_train_batch_size=10, max_steps=1)
    model = tiny_model()
    batch = trainer.data_collator(list(tiny_posts))
    target = F.one_hot(batch.pop("labels"), 2).float()
    trainer.loss.function(model(**batch).logits, target).backward()
    changes = changes_by_training(trainer)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(changes[name], -0.1 * parameter.grad, rtol=1e-3, atol=1e-6)


def test_training_changes_every_weight(make_trainer):
    changes = changes_by_training(make_trainer(per_device_train_batch_size=10, max_steps=2))
    assert [name for name, change in changes.items() if not change.any()] == []


def test_on_a_cpu_dropout_is_drawn_in_bulk(make_trainer, tiny_model, monkeypatch):
    drawn = []
    monkeypatch.setattr(dropout, "_dropout", lambda values, *args, **kwargs: drawn.append(values.shape) or values)
    make_trainer(model=tiny_model(), per_device_train_batch_size=5, max_steps=1).train()
    assert len(drawn) > 2


def test_grouping_by_length_keeps_the_order_of_predictions(make_trainer, tiny_posts):
    trainer = make_trainer(train_sampling_strategy="group_by_length", per_device_eval_batch_size=3)
    grouped = trainer.predict(tiny_posts)
    single = np.concatenate([trainer.predict(tiny_posts.select([row])).predictions for row in range(len(tiny_posts))])
    np.testing.assert_array_equal(grouped.label_ids, tiny_posts["label"][:])
    np.testing.assert_allclose(grouped.predictions, single, atol=1e-6)


def test_the_validation_loss_is_the_mean_over_posts(make_trainer, tiny_posts):
    whole = make_trainer(per_device_eval_batch_size=10).evaluate()["eval_loss"]
    assert make_trainer(per_device_eval_batch_size=4).evaluate()["eval_loss"] == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("step", [5, 8])  # the end of an epoch, and the middle of one
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(make_trainer, tiny_model, tmp_path, step):
    settings = {
        "per_device_train_batch_size": 2,
        "num_train_epochs": 3,
        "save_strategy": "steps",
        "save_steps": 1,
        "optim": "adamw_torch_fused",
        "learning_rate": 1e-2,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.1,
        "train_sampling_strategy": "group_by_length",
    }
    whole = make_trainer(model=tiny_model(hidden_dropout_prob=0.1), output_dir=str(tmp_path / "whole"), **settings)
    whole.train()
    resumed = make_trainer(model=tiny_model(hidden_dropout_prob=0.1), output_dir=str(tmp_path / "resumed"), **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / f"checkpoint-{step}"))
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_lower_layers_have_lower_learning_rates(make_trainer):
    full = changes_by_training(make_trainer(per_device_train_batch_size=10, max_steps=1))
    decayed = changes_by_training(make_trainer(per_device_train_batch_size=10, max_steps=1, layer_lr_decay=0.5))
    for name, layers_below_head in {
        "classifier.weight": 0,
        "bert.pooler.dense.bias": 0,
        "bert.encoder.layer.1.output.dense.weight": 1,
        "bert.encoder.layer.0.attention.self.query.bias": 2,
        "bert.embeddings.LayerNorm.weight": 3,
    }.items():
        torch.testing.assert_close(decayed[name], full[name] * 0.5**layers_below_head, rtol=1e-3, atol=1e-7)


def test_decayed_rates_follow_the_schedule_and_the_log_shows_the_head(make_trainer):
    trainer = make_trainer(layer_lr_decay=0.5, lr_scheduler_type="linear", max_steps=4, logging_steps=1)
    trainer.train()
    rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_without_a_count_of_labels_micro_batches_weigh_the_same(make_trainer):
    trainer = make_trainer()
    trainer.current_gradient_accumulation_steps = 4
    assert trainer._share_of_step(3, None) == 0.25


TWO_PROCESSES = """
import sys
sys.path[:0] = [{tests!r}]
import conftest as c
import torch
from datasets import Dataset
from transformers import BertConfig, BertForSequenceClassification, TrainingArguments
from hf_rumor.training.losses import make_loss
from hf_rumor.training.trainer import RumorTrainer

posts = Dataset.from_json("{folder}/posts.jsonl", cache_dir="{folder}/cache")
torch.manual_seed(0)
for number, (batch, accumulation, steps, sampling) in enumerate({cases!r}):
    model = BertForSequenceClassification.from_pretrained("{folder}/model", num_labels=2)
    args = TrainingArguments(output_dir="{folder}/ddp", use_cpu=True, optim="sgd", learning_rate=0.1,
        max_grad_norm=0.0, lr_scheduler_type="constant", save_strategy="no", disable_tqdm=True, report_to="none",
        dataloader_pin_memory=False, train_sampling_strategy=sampling, per_device_train_batch_size=batch,
        max_steps=steps, weight_decay=0.0, gradient_accumulation_steps=accumulation, ddp_find_unused_parameters=False)
    trainer = RumorTrainer(loss=make_loss("bce"), model=model, args=args, data_collator=c.pad, train_dataset=posts)
    assert args.world_size == 2, args.world_size
    trainer.train()
    if trainer.is_world_process_zero():
        model.save_pretrained(f"{folder}/ddp-{{number}}")
trainer.leave_processes()
"""


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("in_epochs", [False, True])
def test_a_run_resumed_after_its_last_step_takes_no_further_step(make_trainer, tiny_model, tmp_path, best, in_epochs):
    steps_per_epoch = len(make_trainer(per_device_train_batch_size=2).get_train_dataloader())
    assert 3 % steps_per_epoch  # it ends within an epoch
    settings = {
        "per_device_train_batch_size": 2,
        **({"num_train_epochs": 3 / steps_per_epoch} if in_epochs else {"max_steps": 3}),
        "save_strategy": "steps",
        "save_steps": 3,
        "eval_strategy": "steps",
        "eval_steps": 3,
        "lr_scheduler_type": "constant",
        "load_best_model_at_end": best,
        "learning_rate": 1e-2,
    }
    whole = make_trainer(output_dir=str(tmp_path / "whole"), **settings)
    whole.train_from(None)
    resumed = make_trainer(model=tiny_model(), output_dir=str(tmp_path / "whole"), **settings)
    resumed.train_from(tmp_path / "whole" / "checkpoint-3")
    assert (resumed.state.global_step, resumed.resumed_at, whole.resumed_at) == (3, 3, None)
    assert not (tmp_path / "whole" / "checkpoint-4").exists()
    for name, value in whole.plain_model().state_dict().items():
        assert torch.equal(value, resumed.plain_model().state_dict()[name]), name


# Batch size per process, accumulated batches, steps, order of the posts.
CASES = [(4, 1, 1, "sequential"), (2, 2, 1, "sequential"), (1, 1, 4, "group_by_length")]


@pytest.mark.slow
def test_two_processes_equal_one(make_trainer, tiny_model, tiny_posts, tmp_path):
    posts = tiny_posts.select(range(8))
    posts.to_json(tmp_path / "posts.jsonl")
    tiny_model().save_pretrained(tmp_path / "model")
    script = tmp_path / "train.py"
    script.write_text(TWO_PROCESSES.format(tests=str(Path(__file__).parents[1]), folder=tmp_path, cases=CASES))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    for number, (batch, accumulation, steps, sampling) in enumerate(CASES):
        settings = {"per_device_train_batch_size": 2 * batch * accumulation, "max_steps": steps}
        one = make_trainer(model=tiny_model(), posts=posts, train_sampling_strategy=sampling, **settings)
        one.train()
        two = type(one.model).from_pretrained(tmp_path / f"ddp-{number}")
        for name, value in one.model.state_dict().items():
            torch.testing.assert_close(two.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_evaluation_and_prediction_skip_no_post_whatever_training_drops(make_trainer):
    trainer = make_trainer(per_device_train_batch_size=4, per_device_eval_batch_size=4, dataloader_drop_last=True)
    assert sum(len(batch["labels"]) for batch in trainer.get_eval_dataloader()) == 10
    assert sum(len(batch["labels"]) for batch in trainer.get_train_dataloader()) == 8
    assert len(trainer.predict(trainer.eval_dataset).predictions) == 10
    assert trainer.args.dataloader_drop_last


@pytest.fixture
def args(tmp_path):
    """Return arguments for one step on a CPU."""
    plain = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, "dataloader_pin_memory": False}
    return TrainingArguments(str(tmp_path / "out"), use_cpu=True, max_steps=1, **plain)


def same_length(column):
    """Return six tokenized posts of equal length, which the default collator accepts."""
    return Dataset.from_dict({"input_ids": [[5 + n, 6, 7] for n in range(6)], column: [0, 1] * 3})


def test_the_positional_arguments_are_those_of_trainer(tiny_model, tiny_posts, args):
    values = {"model": tiny_model(), "args": args, "train_dataset": tiny_posts, "eval_dataset": same_length("label")}
    parameters = inspect.signature(Trainer).parameters.values()
    trainer = RumorTrainer(*(values.get(parameter.name, parameter.default) for parameter in parameters))
    for name, value in values.items():
        assert getattr(trainer, name) is value
    assert trainer.loss.name == "bce"


@pytest.mark.parametrize("column", ["label", "labels"])
@pytest.mark.parametrize("collator", [None, lambda rows: {k: torch.tensor([r[k] for r in rows]) for k in rows[0]}])
def test_labels_can_be_in_either_column_with_any_collator(tiny_model, args, column, collator):
    posts = same_length(column)
    if collator and column == "label":
        posts = posts.rename_column("label", "labels")  # this collator does not rename the column
    trainer = RumorTrainer(tiny_model(), args, collator, posts, posts, loss="ce")
    trainer.train()
    assert trainer.evaluate()["eval_loss"] > 0
    assert trainer.predict(posts.remove_columns(posts.column_names[-1])).predictions.shape == (6, 2)


@pytest.mark.parametrize("loss", ["ce", F.cross_entropy, nn.CrossEntropyLoss()])
def test_a_loss_is_a_name_or_a_function(tiny_model, args, loss):
    posts = same_length("labels")
    trainer = RumorTrainer(tiny_model(), args, None, posts, posts, loss=loss)
    logits = torch.tensor(trainer.predict(posts).predictions)
    expected = float(F.cross_entropy(logits, torch.tensor(posts["labels"][:])))
    assert trainer.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-6)


def test_several_gpus_and_arguments_without_effect_are_refused(tiny_model, args, monkeypatch):
    with pytest.raises(ArgumentError, match="compute_loss_func would have no effect"):
        RumorTrainer(tiny_model(), args, compute_loss_func=lambda *_: None)
    args.label_smoothing_factor = 0.1
    with pytest.raises(ArgumentError, match="label_smoothing_factor would have no effect"):
        RumorTrainer(tiny_model(), args)
    monkeypatch.setattr(TrainingArguments, "n_gpu", 2)
    with pytest.raises(ArgumentError, match="accelerate launch"):
        RumorTrainer(tiny_model(), args)


@pytest.mark.parametrize(("loss", "kind"), [("bce", "multi_label"), ("ce", "single_label")])
def test_pipelines_form_the_probabilities_of_the_loss_unless_the_model_has_a_problem_type(
    tiny_model, args, loss, kind
):
    assert RumorTrainer(tiny_model(), args, loss=loss).model.config.problem_type == f"{kind}_classification"
    assert (
        RumorTrainer(tiny_model(problem_type="regression"), args, loss=loss).model.config.problem_type == "regression"
    )


def test_a_rehearsal_changes_nothing(make_trainer):
    trainer = make_trainer(optim="adamw_torch")
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    random = torch.get_rng_state()
    trainer.rehearse(32)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.state_dict().items())
    assert (trainer.optimizer, trainer.lr_scheduler, trainer._num_posts) == (None, None, 0)


def test_a_rehearsal_fails_on_posts_that_are_too_long_for_the_model(make_trainer):
    make_trainer().rehearse(32)
    with pytest.raises((IndexError, RuntimeError)):
        make_trainer().rehearse(33)
