import shutil

import numpy as np
import pytest

from hf_rumor import RumorClassifier, load_corpus
from hf_rumor.corpus.seen import seen_posts, write_seen
from hf_rumor.errors import CorpusError, ModelError
from hf_rumor.runs.decide import choose_for_model, to_text


@pytest.fixture
def corpus(texts):
    return load_corpus(texts, labels=[number % 2 for number in range(len(texts))])


@pytest.mark.parametrize("rule", ["max_f1", "recall>=0.9", "flag=30", "0.7"])
def test_the_printed_threshold_gives_the_printed_scores(folder, corpus, rule):
    choice = choose_for_model(str(folder), corpus, rule)
    classifier = RumorClassifier.from_pretrained(folder, threshold=choice.threshold)
    flagged = [prediction.predicted == "rumor" for prediction in classifier.predict(corpus.posts["text"][:])]
    assert np.mean(flagged) == choice.at_threshold.share_flagged
    assert f"--threshold {choice.threshold}" in to_text(choice)
    if rule == "flag=30":
        assert sum(flagged) == 30


def test_posts_that_the_model_has_seen_are_skipped(folder, corpus, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "model")
    write_seen(copy, seen_posts(corpus.posts["text"][:30], corpus.posts["text"][30:40]))
    assert choose_for_model(str(copy), corpus, "max_f1").num_posts <= len(corpus.posts) - 40
    write_seen(copy, seen_posts(corpus.posts["text"][:], []))
    with pytest.raises(ModelError, match="has seen all"):
        choose_for_model(str(copy), corpus, "max_f1")


def test_one_label_is_enough_to_flag_a_number_of_posts_only(folder, texts):
    corpus = load_corpus(texts, labels=[0] * len(texts))
    with pytest.raises(CorpusError, match="needs posts of both labels"):
        choose_for_model(str(folder), corpus, "max_f1")
    assert choose_for_model(str(folder), corpus, "flag=5").at_threshold.precision == 0
