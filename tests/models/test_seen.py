import pytest

from hf_rumor.corpus.seen import seen_posts, write_seen
from hf_rumor.models.seen import load_seen


@pytest.mark.parametrize(("path", "is_known"), [("out", True), ("out/checkpoint-3", True), ("out/onnx", False)])
def test_a_checkpoint_has_seen_the_posts_of_its_run(tmp_path, path, is_known):
    (tmp_path / path).mkdir(parents=True)
    write_seen(tmp_path / "out", seen_posts(["听说明天停水"], []))
    assert (load_seen(str(tmp_path / path)) is not None) == is_known


def test_the_posts_of_an_unavailable_model_are_not_known():
    assert load_seen("user/model") is None
