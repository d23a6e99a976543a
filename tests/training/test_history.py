import pytest
from hf_rumor.training.history import epochs, schedule, warmup_steps
from transformers import TrainerState, TrainingArguments


def evaluation(epoch, loss, macro_f1):
    return {"step": 100 * epoch, "epoch": epoch, "eval_loss": loss, "eval_macro_f1": macro_f1}


def test_each_epoch_has_the_mean_of_its_own_losses():
    log = [{"loss": 0.8}, evaluation(1.0, 0.5, 0.7) | {"mean_loss": 0.7}, {"loss": 0.2}]
    [only] = epochs(TrainerState(log_history=log))
    told = {"mean_loss": 0.7, "validation_loss": 0.5, "validation_macro_f1": 0.7}
    assert only == {"step": 100, "epoch": 1.0, **told}


@pytest.mark.parametrize(
    ("name", "steps"), [("linear", 25), ("cosine", 25), ("constant", 0), ("reduce_lr_on_plateau", 0)]
)
def test_a_schedule_that_ignores_warm_up_has_none(tmp_path, name, steps):
    args = TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, warmup_steps=0.25, lr_scheduler_type=name, eval_strategy="epoch"
    )
    assert schedule(args) == name
    assert warmup_steps(TrainerState(max_steps=100), args) == steps


def test_an_epoch_without_a_logged_loss_has_none():
    [only] = epochs(TrainerState(log_history=[evaluation(1.0, 0.5, 0.7)]))
    assert only["mean_loss"] != only["mean_loss"]
