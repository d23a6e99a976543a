"""Fixtures of all tests: an own cache, no Hub, and a corpus of invented posts."""

import os


# Before anything imports a Hugging Face library: they read these once, on import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import json
import random
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hf_rumor.corpus.post import Post, Repost


CHINA = timezone(timedelta(hours=8))
NEW_YEAR_2013 = 1356969600  # 2013-01-01 00:00:00 +0800
CHARACTERS = (
    "小城河边广场山村海港车站公园学校医院菜场昨夜清晨午后周末月底听说看见发现打算忘记绿伞木船红灯风筝纸箱石桥铜铃面包棉被茶壶老人司机邻居老师画家渔夫店主孩子猫咪白鸽"
    "停电下雪涨价搬家开门迷路唱歌修路结冰发光据传其实可能当然居然也许悄悄忽然一共三次"
)
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WORDS = [CHARACTERS[start : start + 2] for start in range(0, len(CHARACTERS), 2)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Give each test a cache of its own, so that none touches the user's."""
    folder = tmp_path / "own_cache"
    monkeypatch.setenv("HF_RUMOR_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared():
    """Return the folder with the published corpus and the local models; skip where it is absent."""
    path = Path(os.environ.get("HF_RUMOR_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not path.is_dir():
        pytest.skip(f"{path} is absent: set HF_RUMOR_SHARED to the folder with the published corpus")
    return path


def _make_posts(num_posts, seed=0):
    """Return invented posts, every other one a rumor, an hour and a bit apart; each has up to three reposts."""
    generator = random.Random(seed)
    posts = []
    for number in range(num_posts):
        posted_at = NEW_YEAR_2013 + number * 4000
        posts.append(
            Post(
                post_id=f"{number}_M{number:04}_{7000 + number}",
                text=f"第{number}则：" + "".join(generator.choices(WORDS, k=generator.randint(12, 24))) + "。",
                is_rumor=number % 2 == 1,
                posted_at=posted_at,
                author_id=str(7000 + number),
                author_verified=generator.random() < 0.5,
                has_url=generator.random() < 0.3,
                reposts=tuple(
                    Repost(
                        repost_id=f"R{number:04}{reply}",
                        text="".join(generator.choices(WORDS, k=3)),
                        reposted_at=posted_at + 60 * (reply + 1),
                        author_id=f"{8000 + reply}",
                        parent_id=f"R{number:04}{reply - 1}" if reply else None,
                    )
                    for reply in range(generator.randint(0, 3))
                ),
            )
        )
    return posts


def _write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _write_ced(root, posts):
    """Write posts as the published corpus is written: a file a post, a file for its reposts, newest first."""
    for post in posts:
        raw = {"text": post.text, "time": post.posted_at, "has_url": post.has_url}
        raw["user"] = "empty" if post.author_verified is None else {"verified": post.author_verified}
        _write_json(root / "original-microblog" / f"{post.post_id}.json", raw)
        reposts = [
            {
                "mid": repost.repost_id,
                "text": repost.text,
                "date": str(datetime.fromtimestamp(repost.reposted_at, CHINA).replace(tzinfo=None)),
                "uid": repost.author_id,
                "parent": repost.parent_id or "",
            }
            for repost in reversed(post.reposts)
        ]
        _write_json(root / ("rumor-repost" if post.is_rumor else "non-rumor-repost") / f"{post.post_id}.json", reposts)
    return root


@pytest.fixture(scope="session")
def make_posts():
    """Return a function that makes invented posts: `make_posts(num_posts, seed=0)`."""
    return _make_posts


@pytest.fixture(scope="session")
def corpus_posts():
    """Return 60 invented posts, 30 of each label, in the order of their times."""
    return _make_posts(60)


@pytest.fixture(scope="session")
def write_ced():
    """Return a function that writes posts in the CED layout: `write_ced(root, posts)`, which returns `root`."""
    return _write_ced


@pytest.fixture(scope="module")  # its event loop must not run beside the tests of other files
def browser():
    """Return a Chromium without a window; skip where it is absent."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is absent: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS.split())
        yield found
        found.close()
