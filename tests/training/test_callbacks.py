from transformers import TrainerCallback

from hf_rumor.training.callbacks import EpochLines, Progress


def test_a_run_tells_its_length_and_each_validation(make_trainer, caplog):
    trainer = make_trainer(per_device_train_batch_size=5, num_train_epochs=2, warmup_steps=0.5, logging_steps=1)
    trainer.compute_metrics = lambda prediction: {"macro_f1": 0.25}
    trainer.args.eval_strategy = "epoch"
    trainer.add_callback(EpochLines())
    with caplog.at_level("INFO", logger="hf_rumor"):
        trainer.train()
        trainer.evaluate()
    assert "steps: 4 in 2 epochs, 0 of them warm-up, schedule constant" in caplog.text
    assert "validation macro-F1 0.2500" in caplog.text


def test_the_progress_bar_prints_no_logs(capsys):
    assert Progress.on_log is not TrainerCallback.on_log
    Progress().on_log(None, None, None, logs={"loss": 1.0})
    assert capsys.readouterr() == ("", "")
