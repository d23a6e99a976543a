from dataclasses import replace

import pytest
from datasets import Dataset

from hf_rumor.config.parse import parse_arguments, words_of
from hf_rumor.errors import ArgumentError
from hf_rumor.runs.fit import encode, fit, make_trainer
from hf_rumor.runs.resolve import resolve
from hf_rumor.training.streaming import PostStream


OTHER_SPLIT = {"split_seed": 1}  # the checkpoint was trained on test posts of this one


@pytest.fixture
def make_run(make_posts, tiny_encoder, tmp_path):
    """Return a function that makes a run of a tiny encoder on 60 synthetic posts, and its parts."""
    posts = Dataset.from_list([{"text": post.text, "label": int(post.is_rumor)} for post in make_posts(60)])

    def make(**flags):
        plain = {"max_length": 64, "max_steps": 2, "save_strategy": "steps", "save_steps": 1, "eval_strategy": "steps"}
        plain |= {"eval_steps": 1, "report_to": "none", "use_cpu": True, "output_dir": tmp_path / "out"}
        run = resolve(parse_arguments(words_of({"model_name_or_path": tiny_encoder, **plain, **flags})), posts)
        return run, *run.load_model()

    return make


def test_test_posts_are_not_tokenized(make_run):
    run, _, tokenizer = make_run()
    training, validation = encode(run, tokenizer)
    assert {*training["id"]} == {*run.data.dataset["train"]["id"]}
    assert {*validation["id"]} == {*run.data.dataset["validation"]["id"]}


def test_streamed_posts_are_the_training_posts(make_run):
    run, _, tokenizer = make_run(streaming=True)
    training, _ = encode(run, tokenizer)
    assert isinstance(training, PostStream)
    assert len(training) == len(run.data.dataset["train"])


@pytest.mark.parametrize("streaming", [False, True])
def test_training_posts_are_repeated_by_the_weight_of_their_source(make_run, streaming):
    run, _, tokenizer = make_run(streaming=streaming)
    corpus = run.data.corpus
    sources = tuple(replace(source, weight=3.0) for source in corpus.sources)
    run = replace(run, data=replace(run.data, corpus=replace(corpus, sources=sources)))
    training, validation = encode(run, tokenizer)
    assert len(training) == 3 * len(run.data.dataset["train"])
    assert len(validation) == len(run.data.dataset["validation"])


def test_a_trained_run_resumes_with_the_same_steps_only(make_run, tmp_path):
    fit(run := make_run()[0], make_trainer(run, *run.load_model()))
    checkpoint = tmp_path / "out" / "checkpoint-1"
    same = make_run(resume_from_checkpoint=checkpoint, output_dir=tmp_path / "again", learning_rate=1e-3)
    trainer = make_trainer(*same)
    fit(same[0], trainer)
    assert trainer.resumed_at == 1
    for flags in ({"per_device_train_batch_size": 8}, {"gradient_accumulation_steps": 2}, {"seed": 1}, OTHER_SPLIT):
        other = make_run(resume_from_checkpoint=checkpoint, output_dir=tmp_path / "other", **flags)
        with pytest.raises(ArgumentError, match="its steps differ from those of this run"):
            fit(other[0], make_trainer(*other))
        assert not (tmp_path / "other" / "run.json").exists()


def test_a_model_that_fails_on_a_batch_is_refused_before_training(make_run, tiny_encoder, monkeypatch, tmp_path):
    run, model, tokenizer = make_run()
    monkeypatch.setattr(model.bert.embeddings, "forward", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ArgumentError, match=r"cannot start with these flags \(ZeroDivisionError"):
        make_trainer(run, model, tokenizer)
    assert not list((tmp_path / "out").glob("*"))
