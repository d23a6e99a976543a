import logging

import pytest

from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item
from hf_rumor.desk.queue import OWN_COLUMNS, make_queue, reach_of, read_history
from hf_rumor.errors import CorpusError
from hf_rumor.inference.classifier import RumorClassifier


@pytest.fixture(scope="module")
def classifier(folder):
    return RumorClassifier.from_pretrained(folder)


def item(number, text, **values):
    return Item(number, Post(text=text), values={"id": number, "text": text, **values})


def test_a_queue_has_our_columns_and_those_of_the_input(classifier, texts):
    items = [item(number, text, 转发数="12", verdict="old", reposts=[]) for number, text in enumerate(texts[:8])]
    queue = make_queue(classifier, items)
    assert queue.columns == (*OWN_COLUMNS, "id", "text", "转发数", "verdict_input")
    probabilities = classifier.probabilities([one.post for one in items])
    for rank, row in enumerate(queue.rows, start=1):
        values = dict(zip(queue.columns, row, strict=True))
        assert values["rank"] == rank
        assert values["verdict"] is None
        assert values["probability"] == pytest.approx(probabilities[values["id"]], abs=1e-3)
        assert values["reach"] == 12
        assert all(word in values["text"] for word in values["words"].split("、"))
    shown = [row[OWN_COLUMNS.index("probability")] for row in queue.rows]
    assert shown == sorted(shown, reverse=True)


def test_what_top_omits_is_stated(classifier, texts):
    items = [item(number, text) for number, text in enumerate(texts[:8])]
    whole, first = make_queue(classifier, items), make_queue(classifier, items, top=3)
    assert first.rows == whole.rows[:3]
    assert (first.num_posts, first.num_stories) == (8, whole.num_stories)
    rest = [row[OWN_COLUMNS.index("probability")] for row in whole.rows[3:]]
    assert first.omitted == pytest.approx(sum(rest), abs=0.01)


def test_rows_with_an_error_are_skipped_and_an_empty_input_is_refused(classifier, texts, caplog):
    broken = Item(7, None, "the text is empty.")
    with caplog.at_level(logging.WARNING):
        assert make_queue(classifier, [broken, item(1, texts[0])]).num_posts == 1
    assert "1 rows skipped, such as 7: the text is empty." in caplog.text
    with pytest.raises(CorpusError, match="no posts"):
        make_queue(classifier, [broken])


def test_a_less_confident_decision_is_uncertain(classifier, texts):
    queue = make_queue(classifier, [item(number, text) for number, text in enumerate(texts)])
    for row in queue.rows:
        values = dict(zip(queue.columns, row, strict=True))
        sure = max(values["probability"], 1 - values["probability"]) >= 0.7
        assert (values["decision"] == "uncertain") != sure


def test_reach_is_the_number_of_reposts_comments_and_likes():
    assert reach_of({"转发数": "12", "评论数": 3, "attitudes_count": None, "text": "5"}) == 15
    assert reach_of({}) == 0


def test_a_history_has_verdicts_of_queues_and_labels_of_corpora(tmp_path):
    (tmp_path / "queue.csv").write_text("id,text,verdict\n1,停水,谣言\n2,下雨,\n", encoding="utf-8")
    (tmp_path / "ours.jsonl").write_text('{"text": "地震", "label": "non-rumor"}\n', encoding="utf-8")
    history = read_history([tmp_path / "queue.csv", tmp_path / "ours.jsonl"])
    assert [(one.text, one.verdict) for one in history] == [("停水", "rumor"), ("下雨", ""), ("地震", "non-rumor")]
    (tmp_path / "queue.csv").write_text("id,text,verdict\n1,停水,maybe\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"queue.csv: post 1: verdict 'maybe' is unknown"):
        read_history([tmp_path / "queue.csv"])
