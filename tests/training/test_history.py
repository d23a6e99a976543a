import pytest
from transformers import TrainerState

from hf_rumor.training.history import epochs


def evaluation(epoch, loss, macro_f1):
    return {"epoch": epoch, "eval_loss": loss, "eval_macro_f1": macro_f1}


def test_each_epoch_has_the_mean_of_its_own_losses():
    log = [{"loss": 0.8}, {"loss": 0.6}, evaluation(1.0, 0.5, 0.7), {"loss": 0.2}, evaluation(2.0, 0.4, 0.8)]
    first, second = epochs(TrainerState(log_history=log))
    assert first["mean_loss"] == pytest.approx(0.7)
    assert second == {"epoch": 2.0, "mean_loss": 0.2, "validation_loss": 0.4, "validation_macro_f1": 0.8}


def test_an_epoch_without_a_logged_loss_has_none():
    [only] = epochs(TrainerState(log_history=[evaluation(1.0, 0.5, 0.7)]))
    assert only["mean_loss"] != only["mean_loss"]
