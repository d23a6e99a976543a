import pytest
from transformers import TrainerCallback, TrainerState, TrainingArguments

from hf_rumor.training.callbacks import EarlyStopping, EpochLines, Progress, schedule, warmup_steps


EACH_EPOCH = {
    "per_device_train_batch_size": 5,
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "load_best_model_at_end": True,
}


def test_the_length_of_a_run_and_each_validation_are_logged(make_trainer, caplog):
    trainer = make_trainer(per_device_train_batch_size=5, num_train_epochs=2, warmup_steps=0.5, logging_steps=1)
    trainer.compute_metrics = lambda prediction: {"macro_f1": 0.25}
    trainer.args.eval_strategy = "epoch"
    trainer.add_callback(EpochLines())
    with caplog.at_level("INFO", logger="hf_rumor"):
        trainer.train()
        trainer.evaluate()
    assert "steps: 4 in 2 epochs, 0 of them warm-up, schedule constant" in caplog.text
    assert "validation macro-F1 0.2500" in caplog.text


def test_with_max_steps_the_started_epochs_are_logged(make_trainer, caplog):
    trainer = make_trainer(per_device_train_batch_size=5, max_steps=3)
    trainer.add_callback(EpochLines())
    with caplog.at_level("INFO", logger="hf_rumor"):
        trainer.train()
    assert "steps: 3 in 2 epochs" in caplog.text


def test_the_progress_bar_prints_no_logs(capsys):
    assert Progress.on_log is not TrainerCallback.on_log
    Progress().on_log(None, None, None, logs={"loss": 1.0})
    assert capsys.readouterr() == ("", "")


def test_a_run_that_takes_all_its_steps_has_not_stopped_early(make_trainer, caplog):
    trainer = make_trainer(**EACH_EPOCH, num_train_epochs=2, metric_for_best_model="loss")
    trainer.add_callback(EarlyStopping(2))
    with caplog.at_level("INFO", logger="hf_rumor"):
        trainer.train()
    assert "stopped early" not in caplog.text


@pytest.mark.parametrize("epoch", [2, 3])  # before it stops, and right after it stopped
def test_early_stopping_survives_an_interruption(make_trainer, tmp_path, caplog, epoch):
    def train(checkpoint=None):
        trainer = make_trainer(
            **EACH_EPOCH,
            num_train_epochs=6,
            metric_for_best_model="macro_f1",
            greater_is_better=True,
            restore_callback_states_from_checkpoint=True,
            output_dir=str(tmp_path / ("resumed" if checkpoint else "whole")),
        )
        trainer.compute_metrics = lambda prediction: {"macro_f1": 0.5}  # never improves
        trainer.add_callback(EarlyStopping(2))
        trainer.add_callback(EpochLines())
        trainer.train(resume_from_checkpoint=checkpoint)
        return [entry["epoch"] for entry in trainer.state.log_history if "eval_loss" in entry]

    with caplog.at_level("INFO", logger="hf_rumor"):
        assert train() == [1.0, 2.0, 3.0]
    assert "stopped early: no improvement of macro_f1 in 2 validations" in caplog.text
    assert "kept: checkpoint-2, validation macro_f1 0.5000" in caplog.text
    assert train(str(tmp_path / "whole" / f"checkpoint-{2 * epoch}")) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("name", "steps"), [("linear", 25), ("cosine", 25), ("constant", 0), ("reduce_lr_on_plateau", 0)]
)
def test_a_schedule_that_ignores_warm_up_has_none(tmp_path, name, steps):
    args = TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, warmup_steps=0.25, lr_scheduler_type=name, eval_strategy="epoch"
    )
    assert schedule(args) == name
    assert warmup_steps(TrainerState(max_steps=100), args) == steps
