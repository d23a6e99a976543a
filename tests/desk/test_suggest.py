import json

import numpy as np
import pytest

from hf_rumor.cli import main as cli
from hf_rumor.desk.suggest import choose, new_stories, uncertainty


STORIES = ["小区今晚停水，请提前储水", "明天下雪，路上小心", "超市的鸡蛋降价了，快来排队"]


def test_a_story_is_suggested_once_and_never_if_it_has_a_label():
    pool = [STORIES[0], STORIES[1], STORIES[0] + "！", STORIES[2]]
    assert new_stories(pool, []) == [0, 1, 3]
    assert new_stories(pool, [STORIES[0] + "！！"]) == [1, 3]


def test_the_post_at_the_threshold_is_the_most_uncertain():
    values = uncertainty(np.array([0.0, 0.3, 0.65, 1.0]), 0.3)
    assert values == pytest.approx([1 - 0.3 / 0.7, 1, 0.5, 0])


def test_chosen_posts_are_uncertain_and_differ():
    weights = np.array([0.9, 0.9, 0.9, 0.8, 0.0])
    chosen = choose([STORIES[0], STORIES[0], STORIES[0], STORIES[1], STORIES[2]], weights, 2)
    assert chosen == [0, 3]  # equal texts have no distance, certain ones no weight
    assert choose(STORIES, np.array([0.1, 0.3, 0.2]), 5) == [1, 2, 0]


def test_suggested_posts_can_be_filled_in_and_are_not_suggested_again(folder, texts, tmp_path, capsys):
    pool, queue, corpus = (tmp_path / name for name in ("pool.jsonl", "label.jsonl", "ours.jsonl"))
    pool.write_text("".join(f"{json.dumps({'text': text, '作者': '甲'})}\n" for text in texts), encoding="utf-8")
    words = ["suggest", str(folder), str(pool), "--n", "5", "--output", str(queue)]
    assert cli.main(words) == 0
    rows = [json.loads(line) for line in queue.read_text(encoding="utf-8").splitlines()]
    assert len({row["text"] for row in rows}) == 5
    assert [(row["verdict"], row["作者"]) for row in rows] == [(None, "甲")] * 5
    queue.write_text("".join(f"{json.dumps({**row, 'verdict': '谣言'})}\n" for row in rows), encoding="utf-8")
    assert cli.main(["feedback", str(queue), "--corpus", str(corpus)]) == 0
    assert "5 posts added" in capsys.readouterr().out

    assert cli.main([*words, "--labeled", str(corpus)]) == 0
    error = capsys.readouterr().err
    assert "at least 100 labeled posts" in error
    again = [json.loads(line)["text"] for line in queue.read_text(encoding="utf-8").splitlines()]
    assert not {row["text"] for row in rows} & set(again)
