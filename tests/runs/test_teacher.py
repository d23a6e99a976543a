import numpy as np
import pytest
from datasets import Dataset

from hf_rumor.config.parse import parse_arguments, words_of
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.runs.fit import fit, make_trainer
from hf_rumor.runs.resolve import resolve
from hf_rumor.runs.teacher import ask_teacher


@pytest.fixture(scope="module")
def parts(make_posts):
    return split_corpus(load_corpus(make_posts(60)), "random")


@pytest.fixture
def unlabeled(tmp_path, parts):
    """Return a file of 12 posts: two are copies of a third one, one is a post of the test set."""
    texts = [f"第{number}号台风{'明天' * number}登陆" for number in range(9)]
    texts += [texts[0], f" {texts[0]}", parts.dataset["test"]["text"][0]]
    (tmp_path / "posts.txt").write_text("\n".join(texts), encoding="utf-8")
    return str(tmp_path / "posts.txt")


def test_the_teacher_scores_training_and_unlabeled_posts_and_predicts_test_posts(folder, parts, unlabeled):
    teacher = ask_teacher(str(folder), parts, unlabeled, Columns())
    classifier = RumorClassifier.from_pretrained(folder)
    assert len(teacher.unlabeled_texts) == 9
    for texts, logits in (
        (parts.dataset["train"]["text"][:], teacher.training),
        (list(teacher.unlabeled_texts), teacher.unlabeled),
    ):
        assert 1 / (1 + np.exp(-logits)) == pytest.approx(classifier.probabilities(texts), abs=1e-6)
    test = classifier.predict(parts.dataset["test"]["text"][:])
    assert teacher.test.tolist() == [int(one.predicted == "rumor") for one in test]


def test_a_student_learns_from_labels_and_teacher(folder, unlabeled, tiny_encoder, make_posts, tmp_path):
    posts = Dataset.from_list([{"text": post.text, "label": int(post.is_rumor)} for post in make_posts(60)])
    flags = {
        "model_name_or_path": tiny_encoder,
        "max_length": 64,
        "max_steps": 3,
        "use_cpu": True,
        "report_to": "none",
    }
    flags |= {"save_strategy": "no", "eval_strategy": "no", "load_best_model_at_end": False, "split": "random"}
    flags |= {"teacher": folder, "unlabelled_path": unlabeled, "output_dir": tmp_path / "out", "precision": "fp32"}
    run = resolve(parse_arguments(words_of(flags)), posts)
    trainer = make_trainer(run, *run.load_model())
    assert len(trainer.train_dataset) == len(run.data.split.train) + len(run.teacher.unlabeled_texts)
    assert trainer.train_dataset["label"][-1] == -1
    assert trainer.train_dataset["teacher"][-1] == pytest.approx(run.teacher.unlabeled[-1])
    fit(run, trainer)
    assert trainer.state.global_step == 3
