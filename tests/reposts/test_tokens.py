import math
import subprocess
import sys

import numpy as np
import pytest
from datasets import Dataset
from tokenizers import Tokenizer

from hf_rumor.corpus.observed import ALL, observe
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.reposts.tokens import Counts, encode, read_reposts


NOW = 1372480809


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))


@pytest.fixture
def posts():
    reposts = [(5, "假的"), (700, "真的吗"), (9000, "谣言")]
    first = Post(text="a", posted_at=NOW, reposts=tuple(Repost("", text, NOW + delay) for delay, text in reposts))
    return [first, Post(text="b"), Post(text="c", posted_at=NOW, reposts=(Repost("", "转发微博", NOW + 1),))]


def same(one, other):
    return all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(one))


@pytest.mark.parametrize("deadline", [0, 5, 699, 700, math.inf])
def test_tokens_until_a_deadline_are_those_of_what_is_visible(tokenizer, posts, deadline):
    everything = encode([observe(post, ALL) for post in posts], tokenizer)
    assert same(everything.until(deadline), encode([observe(post, deadline) for post in posts], tokenizer))


def test_some_posts_in_another_order(tokenizer, posts):
    everything = encode([observe(post, ALL) for post in posts], tokenizer)
    chosen = encode([observe(posts[place], ALL) for place in (2, 0, 0)], tokenizer)
    assert same(everything.of_posts([2, 0, 0]), chosen)


def test_the_tokens_of_a_corpus_are_those_of_its_posts(tokenizer, posts):
    rows = [{"posted_at": post.posted_at, "reposts": [vars(repost) for repost in post.reposts]} for post in posts]
    reposts, counts = read_reposts(Dataset.from_list(rows), tokenizer)
    assert same(reposts, encode([observe(post, ALL) for post in posts], tokenizer))
    assert counts == Counts(visible=4, bare=1, chains=0)


def test_reading_reposts_at_inference_needs_neither_torch_nor_datasets():
    imports = "import hf_rumor.inference.classifier, hf_rumor.reposts.timeline, sys"
    slow = {"torch", "datasets", "pyarrow", "sklearn", "scipy", "huggingface_hub"}
    code = f"{imports}; print(sorted({slow} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_each_post_has_a_deadline_of_its_own(tokenizer, posts):
    everything = encode([observe(post, ALL) for post in posts], tokenizer)
    expected = encode([observe(post, deadline) for post, deadline in zip(posts, (5, 0, ALL), strict=True)], tokenizer)
    assert same(everything.until([5, 0, ALL]), expected)
