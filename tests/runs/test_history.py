import math

import pytest
from transformers import TrainerState, TrainingArguments

from hf_rumor.config.flags import RunArguments
from hf_rumor.report.record import Epoch
from hf_rumor.runs.history import epochs, hyper_parameters


def evaluation(epoch, loss, macro_f1):
    return {"step": 100 * epoch, "epoch": epoch, "eval_loss": loss, "eval_macro_f1": macro_f1}


def test_each_epoch_has_the_mean_of_its_own_losses():
    log = [{"loss": 0.8}, evaluation(1.0, 0.5, 0.7) | {"mean_loss": 0.7}, {"loss": 0.2}]
    assert epochs(TrainerState(log_history=log)) == (Epoch(100, 1.0, 0.7, 0.5, 0.7),)


def test_an_epoch_without_a_logged_loss_has_none():
    [only] = epochs(TrainerState(log_history=[evaluation(1.0, 0.5, 0.7)]))
    assert math.isnan(only.mean_loss)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seed", 7), ("weight_decay", 0.25), ("per_device_train_batch_size", 3), ("optim", "adafactor")),
        *(("lr_scheduler_type", "cosine"), ("pooling", "mean"), ("early_stopping_patience", 5), ("loss", "focal")),
        ("hidden_dropout_prob", 0.2),
    ],
)
def test_every_hyper_parameter_is_in_the_report(tmp_path, name, value):
    args = TrainingArguments(
        output_dir=str(tmp_path),
        use_cpu=True,
        seed=7,
        weight_decay=0.25,
        per_device_train_batch_size=3,
        optim="adafactor",
        lr_scheduler_type="cosine",
    )
    flags = RunArguments(pooling="mean", early_stopping_patience=5, loss="focal", data_path="/home/someone/posts.csv")
    values = hyper_parameters(flags, args, {"hidden_dropout_prob": 0.2, "hidden_size": 32})
    assert values[name] == value
    assert "/home" not in str(values)
    assert "hidden_size" not in values
