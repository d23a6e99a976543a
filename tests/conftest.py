"""Fixtures of all tests: an own cache, no Hub, and a corpus of synthetic posts."""

import os


# Before anything imports a Hugging Face library: they read these once, on import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import gc
import io
import json
import random
import shutil
from contextlib import redirect_stdout
from dataclasses import is_dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    TrainingArguments,
)

from hf_rumor.cli import main as cli
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.evaluation.baseline import compare_baselines
from hf_rumor.evaluation.calibration import Calibration, Platt, measure_calibration
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import Threshold, measure_decision, operating_point
from hf_rumor.evaluation.early import AtDeadline, Calls, Curve, EarlyDetection, Scores
from hf_rumor.evaluation.intervals import Difference, Differences
from hf_rumor.evaluation.measure import measure
from hf_rumor.evaluation.metrics import CELLS, METRICS, Scored
from hf_rumor.evaluation.slices import PostTraits, measure_slices
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.models.encoders import MINI_FOLDER, load_encoder
from hf_rumor.models.facts import Facts
from hf_rumor.models.inputs import InputConfig, TokenizerFacts, as_posts
from hf_rumor.models.logits import predict_logits
from hf_rumor.models.save import save_model
from hf_rumor.report import write
from hf_rumor.report.record import (
    DataFacts,
    Environment,
    Epoch,
    LossFacts,
    ModelFacts,
    Report,
    SplitFacts,
    Step,
    Training,
)
from hf_rumor.reposts.model import BUCKETS, RepostModel, Weights, save_reposts
from hf_rumor.reposts.texts import NUM_PAIRS
from hf_rumor.training.losses import make_loss
from hf_rumor.training.trainer import RumorTrainer


NAN = float("nan")
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


def pytest_collection_finish():
    """Keep the garbage collector away from what was imported: `Trainer` calls it at each start."""
    gc.freeze()


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory):
    """Return the folder of an encoder of 2 layers, 32 wide, that has read nothing; the tokenizer is that of `mini`."""
    from transformers import BertModel

    from hf_rumor.models.encoders import MINI_FOLDER

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = AutoTokenizer.from_pretrained(MINI_FOLDER)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=256, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Give each test a cache of its own, so that none touches the user's."""
    folder = tmp_path / "own_cache"
    monkeypatch.setenv("HF_RUMOR_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_figures():
    """Draw no figures, which would take seconds a run; their own tests draw them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "draw_all", lambda report, tr: [])
        yield


@pytest.fixture(scope="session")
def shared():
    """Return the folder with the published corpus and the local models; skip where it is absent."""
    path = Path(os.environ.get("HF_RUMOR_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not path.is_dir():
        pytest.skip(f"{path} is absent: set HF_RUMOR_SHARED to the folder with the published corpus")
    return path


def _make_posts(num_posts, seed=0):
    """Return synthetic posts, every other one a rumor, an hour and a bit apart; each has up to three reposts."""
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
    return [replace(post, num_reposts=len(post.reposts)) for post in posts]


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
    """Return a function that makes synthetic posts: `make_posts(num_posts, seed=0)`."""
    return _make_posts


@pytest.fixture(scope="session")
def corpus_posts():
    """Return 60 synthetic posts, 30 of each label, in the order of their times."""
    return _make_posts(60)


@pytest.fixture(scope="session")
def write_ced():
    """Return a function that writes posts in the CED layout: `write_ced(root, posts)`, which returns `root`."""
    return _write_ced


DATA = DataFacts(
    "corpora/posts.csv",
    "5ca1ab1e",
    "7e875",
    4321,
    2000,
    {"times_as_text": 12},
    is_synthetic=False,
    share_unknown_tokens=0.001,
)
SPLIT = SplitFacts(
    name="grouped",
    seed=42,
    fold="0 of 5",
    train=3000,
    validation=321,
    test=1000,
    num_leaking_test_posts=25,
    num_seen_test_posts=0,
    num_resamples=1000,
)
MODEL = ModelFacts("mini", None, "BertModel", num_parameters=1234567, max_length=128, pooling="mean")
LOSS = LossFacts("bce", {}, "-y log p - (1 - y) log(1 - p)", "sigmoid")
TRAINING = Training(
    started_at="2026-11-23T10:00:00+00:00",
    ended_at="2026-11-23T10:01:01+00:00",
    runtime_seconds=61.4,
    resumed_at_step=None,
    posts_per_second=48.9,
    epochs=3.0,
    total_steps=1200,
    planned_steps=1200,
    warmup_steps=120,
    schedule="linear",
    learning_rate=5e-5,
    batch_size=32,
    chosen_by="macro_f1",
    best_metric=0.75,
    best_checkpoint="checkpoint-20",
    hyper_parameters={"loss": "bce", "precision": "auto", "seed": 42},
    history=(Epoch(10, 1.0, NAN, 0.5, 0.7), Epoch(20, 2.0, 0.25, 0.375, 0.75)),
    curve=(Step(10, 0.7, 5e-5), Step(20, 0.5, 0.0)),
)
ENVIRONMENT = Environment({"hf_rumor": "0.1.0", "torch": "2.13"}, "Linux", "cpu", "fp32", "no GPU", 1)


def _make_report(labels=(0, 1, 1, 0), probabilities=(0.1, 0.9, 0.4, 0.2), **changes):
    """Return a report on posts with these labels and probabilities, with changes of parts: data={"path": "a.csv"}."""
    scored = Scored([str(number) for number in range(len(labels))], np.array(labels), np.array(probabilities), 0.25)
    groups, ones = np.arange(len(labels)), np.ones(len(labels), dtype=np.int64)
    measured = measure(scored, threshold=0.5)
    intervals = {name: (getattr(measured, name) - 0.125, getattr(measured, name) + 0.125) for name in METRICS}
    intervals |= {
        name: (1.0 * n, 2.0 * n) for name, n in zip(CELLS, np.ravel(measured.confusion).tolist(), strict=True)
    }
    scores = measure_calibration(scored)
    point = operating_point(scored.labels, scored.probabilities, 0.5)
    report = Report(
        data=DATA,
        split=SPLIT,
        model=MODEL,
        loss=LOSS,
        train=TRAINING,
        validation=measured,
        unseen=None,
        test=replace(measured, intervals=intervals),
        early=None,
        baseline=compare_baselines((0 * ones, ones), scored, 0.5, groups),
        calibration=Calibration(
            "platt", 20, {"non-rumor": Platt(0.5, 0.25), "rumor": Platt(0.75, -0.5)}, scores, scores
        ),
        decision=measure_decision("precision>=0.9", Threshold(0.5, reached=False), 0.75, scored, point),
        curves=measure_curves(scored.labels, scored.probabilities, scored.probabilities),
        slices=measure_slices(
            PostTraits(
                num_characters=[1, 160, 2, 60][: len(labels)],
                posted_at=[NEW_YEAR_2013] * len(labels),
                has_url=[True, False, None, True][: len(labels)],
                num_reposts=[0] * len(labels),
                author_verified=[None] * len(labels),
            ),
            scored,
            0.5,
            groups,
        ),
        mistakes=confident_mistakes(scored, 0.5, groups),
        environment=ENVIRONMENT,
        recipe={"loss": "bce"},
        auto={"model_name_or_path": "mini", "precision": "fp32"},
    )
    parts = {name: getattr(report, name) for name in changes}
    return replace(
        report,
        **{
            name: replace(part, **changes[name]) if is_dataclass(part) else changes[name]
            for name, part in parts.items()
        },
    )


@pytest.fixture(scope="session")
def make_report():
    """Return a function that makes a report: `make_report(labels, probabilities, **changes_of_parts)`."""
    return _make_report


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


@pytest.fixture
def open_page(browser, tmp_path):
    """Return a function that opens HTML in a window of a width."""
    pages = []

    def open_(html, width):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        pages.append(browser.new_page(viewport={"width": width, "height": 800}))
        pages[-1].goto(file.as_uri())
        return pages[-1]

    yield open_
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def barriers():
    """Return a function that returns the serious violations of accessibility rules that axe-core finds in a page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def find(page):
        return [
            (violation["id"], node["html"])
            for violation in axe.run(page).response["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return find


NUM_POSTS = 10


@pytest.fixture
def tiny_model():
    """Return a function that makes the same two-layer BERT each time, without dropout."""

    def make(**config):
        torch.manual_seed(0)
        settings = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **config}
        return BertForSequenceClassification(
            BertConfig(
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=32,
                num_labels=2,
                **{"vocab_size": 50, **settings},
            )
        )

    return make


@pytest.fixture
def tiny_posts():
    """Return ten tokenized posts of unequal length."""
    generator = torch.Generator().manual_seed(1)
    lengths = [3, 9, 4, 12, 7, 5, 11, 6, 10, 8][:NUM_POSTS]
    ids = [torch.randint(5, 50, (length,), generator=generator).tolist() for length in lengths]
    return Dataset.from_dict(
        {
            "input_ids": ids,
            "attention_mask": [[1] * length for length in lengths],
            "label": [0, 1, 1, 0, 1, 0, 0, 1, 1, 0],
        }
    )


def pad(rows):
    """Pad ten tokenized posts to one length: the collator of these tests."""
    width = max(len(row["input_ids"]) for row in rows)
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows]),
        "attention_mask": torch.tensor(
            [row["attention_mask"] + [0] * (width - len(row["input_ids"])) for row in rows]
        ),
        "labels": torch.tensor([row["label"] for row in rows]),
    }


@pytest.fixture
def make_trainer(tiny_model, tiny_posts, tmp_path):
    """Return a function that makes a trainer of the tiny model: plain SGD, so that a step is the gradient."""

    def make(
        *,
        loss="bce",
        loss_kwargs=None,
        layer_lr_decay=1.0,
        adversarial_radius=0.0,
        model=None,
        posts=None,
        training=None,
        **arguments,
    ):
        settings = {
            "output_dir": str(tmp_path / "out"),
            "use_cpu": True,
            "optim": "sgd",
            "learning_rate": 0.1,
            "lr_scheduler_type": "constant",
            "max_grad_norm": 0.0,
            "weight_decay": 0.0,
            "save_strategy": "no",
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            "train_sampling_strategy": "sequential",
            "report_to": "none",
            **arguments,
        }
        posts = tiny_posts if posts is None else posts
        return RumorTrainer(
            loss=make_loss(loss, loss_kwargs),
            layer_lr_decay=layer_lr_decay,
            adversarial_radius=adversarial_radius,
            model=tiny_model() if model is None else model,
            args=TrainingArguments(**settings),
            data_collator=pad,
            train_dataset=posts if training is None else training,
            eval_dataset=posts,
        )

    return make


TEXT_WORDS = ["小城", "河边", "昨夜", "停水", "听说", "下雪", "速转", "公园", "涨价", "其实", "12", "NBA", "！", "。"]


def make_texts(num_texts, seed=0):
    generator = random.Random(seed)
    return ["".join(generator.choices(TEXT_WORDS, k=generator.randint(1, 40))) for _ in range(num_texts)]


@pytest.fixture(scope="session")
def texts():
    """Return 100 synthetic texts of one to eighty characters."""
    return make_texts(100)


@pytest.fixture(scope="session")
def save(tmp_path_factory, tiny_encoder):
    """Return a function that saves a small model with such facts, which tells texts apart; it returns the folder."""

    def make(activation="sigmoid", **facts):
        torch.manual_seed(0)
        model, tokenizer = load_encoder(str(tiny_encoder), activation, 64, pooling="mean")
        model.bert.embeddings.word_embeddings.weight.data.mul_(20)  # random ones say too little of the text
        logits = predict_logits(model, tokenizer, as_posts(make_texts(100)), InputConfig(64))
        model.classifier.weight.data.div_(logits.std(dim=0)[:, None])
        model.classifier.bias.data.copy_(-logits.mean(dim=0) / logits.std(dim=0))
        folder = tmp_path_factory.mktemp("model")
        facts = {"threshold": 0.5, "abstain_below": None, "inputs": {"max_length": 64}, **facts}
        save_model(model, tokenizer, folder, facts)
        return folder

    return make


@pytest.fixture(scope="session")
def folder(save):
    """Return a folder with a small model."""
    return save()


@pytest.fixture(scope="session")
def exported(save, texts, reading_classifier, tmp_path_factory):
    """Return a `source` with a threshold of its own, the `folder` to which the verb exported it, what it `printed`."""
    source, room = save(threshold=0.3, abstain_below=0.7), tmp_path_factory.mktemp("export")
    save_reposts(reading_classifier.reposts, source)
    posts = [json.dumps({"text": text, "label": number % 2}) for number, text in enumerate(texts)]
    (room / "posts.jsonl").write_text("\n".join(posts), encoding="utf-8")
    flags = ["--output_dir", str(room / "onnx"), "--data_path", str(room / "posts.jsonl")]
    with redirect_stdout(io.StringIO()) as printed:
        assert cli.main(["export", str(source), *flags]) == 0
    return SimpleNamespace(source=source, folder=room / "onnx", printed=printed.getvalue(), flags=flags)


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
OTHER = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
}


@pytest.fixture(scope="session")
def save_other(tmp_path_factory, tiny_encoder):
    """Return a function that saves a small classifier of another architecture, as another library would."""

    def make(kind):
        torch.manual_seed(0)
        tokenizer = AutoTokenizer.from_pretrained(tiny_encoder, padding_side="left" if kind == "xlnet" else "right")
        if kind != "xlnet":
            tokenizer.model_input_names = ["input_ids", "attention_mask"]
        if kind == "gpt2":  # no special tokens: a decoder pools the last token of the post
            tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
        sizes = OTHER.get(kind, {**SMALL, "max_position_embeddings": 64})
        labels = {"id2label": dict(enumerate(LABEL_NAMES)), "pad_token_id": tokenizer.pad_token_id}
        config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **sizes, **labels)
        model = AutoModelForSequenceClassification.from_config(config)
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.weight.data.mul_(20)
        folder = tmp_path_factory.mktemp(kind)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def make_small():
    """Return a function that makes a classifier of a kind with small layers, always the same, in evaluation mode."""

    def make(kind):
        torch.manual_seed(0)
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
        return AutoModelForSequenceClassification.from_config(
            AutoConfig.for_model(kind, vocab_size=90, **sizes)
        ).eval()

    return make


@pytest.fixture
def inputs():
    """Return three posts of eleven tokens for it, two of them padded."""
    ids = torch.randint(5, 90, (3, 11), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 4:] = mask[2, 1:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.fixture(scope="session")
def repost_weights():
    """Return a function from a vocabulary to random weights: two networks, five hidden units, two weighted means."""

    def make(vocabulary):
        random = np.random.default_rng(0)

        def draw(*shape):
            return random.normal(size=shape).astype(np.float32)

        return Weights(
            text_idf=abs(draw(vocabulary + NUM_PAIRS)),
            text_words=draw(vocabulary + NUM_PAIRS),
            idf=abs(draw(vocabulary)),
            words=draw(vocabulary),
            vectors=draw(vocabulary, 4).astype(np.float16).astype(np.float32),
            hidden=draw(2, 4, 5),
            hidden_bias=draw(2, BUCKETS, 5),
            attention=draw(2, 5, 2),
            attention_bias=draw(2, 2),
            joint=draw(2, 15, 6),
            joint_bias=draw(2, 6),
            output=draw(2, 6),
            reading=random.normal(size=8),
            combination=abs(random.normal(size=2)),
        )

    return make


@pytest.fixture(scope="session")
def reading_classifier(repost_weights):
    """Return a classifier that reads reposts of the first day; its logit depends on the tokens of the text."""
    tokenizer = Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))

    def score(batches):
        logits = [(arrays["input_ids"] * arrays["attention_mask"]).sum(axis=1) % 7 - 3.0 for arrays in batches]
        return [np.stack([-values, values], axis=1).astype(np.float32) / 2 for values in logits]

    facts = Facts("softmax", 0.5, None, InputConfig(64), TokenizerFacts())
    reposts = RepostModel(repost_weights(tokenizer.get_vocab_size()), tokenizer, 86_400)
    return RumorClassifier(score, tokenizer, facts, reposts=reposts)


ACCURACIES = {"0": 0.89, "10min": 0.9, "1h": 0.93, "6h": 0.935, "24h": 0.94, "all": 0.945}
CALLS = Calls(
    target_error=0.05,
    confidence=0.85,
    reached=True,
    share_called=0.75,
    error=0.0625,
    median_minutes=20.0,
    num_moments=7,
    early_rate=0.25,
    instability=0.125,
    accuracy=0.875,
    sea=2.5 / 3,
)


def _scores(accuracy):
    intervals = dict.fromkeys(("accuracy", "macro_f1"), (accuracy - 0.02, accuracy + 0.02))
    return Scores(accuracy, accuracy - 0.005, NAN, intervals | {"roc_auc": (NAN, NAN)})


def _at(deadline, accuracy):
    difference = Difference(0.021, -0.004, 0.046)
    return AtDeadline(
        deadline=deadline,
        share_with_reposts=0.0 if deadline == "0" else 0.5,
        model=_scores(accuracy),
        without_denials=_scores(accuracy - 0.03),
        svm=_scores(0.85),
        reposts_only=None if deadline == "0" else _scores(0.8),
        number_only=None if deadline == "0" else _scores(0.55),
        difference=Differences(difference, difference),
    )


@pytest.fixture(scope="session")
def early():
    """Return the scores of a run with `--reposts all`; ROC-AUC is not defined at the deadlines."""
    return EarlyDetection(
        deadline="all",
        num_visible=4321,
        num_bare=1234,
        num_chains=567,
        deadlines=tuple(_at(*item) for item in ACCURACIES.items()),
        calls=CALLS,
        curve=Curve(
            minutes=(0.0, 2.0, 10.0, 60.0, 360.0, 1440.0, float("inf")),
            accuracy=(0.89, 0.89, 0.9, 0.93, 0.935, 0.94, 0.945),
            roc_auc=(0.95, 0.955, 0.96, 0.97, 0.975, 0.98, 0.985),
        ),
    )
