import json

import pytest
from transformers import AutoTokenizer, pipeline

from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.masking import mask_sources
from hf_rumor.models.save import save_model


@pytest.fixture
def tokenizer(tiny_encoder):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    mask_sources(tokenizer)
    return tokenizer


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("【停水】明天", "停水明天"),
        ("停水 http://t.cn/zQ1aB 明天", "停水 明天"),
        ("停水 回复@小明：明天", "停水 明天"),
        ("#停水#明天！！！", "停水明天！"),
        ("2012年3月5日", "1999年8月1日"),
        ("明天……停水。。。", "明天…停水…"),
        ("停水 网页链接", "停水"),
    ],
)
def test_what_differs_between_sources_gives_the_same_tokens(tokenizer, tiny_encoder, text, other):
    plain = AutoTokenizer.from_pretrained(tiny_encoder)
    assert plain(text)["input_ids"] != plain(other)["input_ids"]
    assert tokenizer(text)["input_ids"] == tokenizer(other)["input_ids"]


def test_other_texts_keep_their_tokens_and_offsets(tokenizer, tiny_encoder):
    plain = AutoTokenizer.from_pretrained(tiny_encoder)
    text = "听说明天全市停水一周,速转"
    assert tokenizer(text)["input_ids"] == plain(text)["input_ids"]
    encoding = tokenizer.backend_tokenizer.encode("【停水】明天")
    read = {position for start, end in encoding.offsets for position in range(start, end)}
    assert read == {1, 2, 4, 5}


def test_the_replacements_are_saved_and_made_once(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again("【停水】2012")["input_ids"] == tokenizer("【停水】2012")["input_ids"]
    mask_sources(again)
    saved, twice = (json.loads(one.backend_tokenizer.to_str())["normalizer"] for one in (tokenizer, again))
    assert saved == twice


def test_the_plain_pipeline_makes_them_too(tiny_encoder, tmp_path):
    model, tokenizer = load_encoder(str(tiny_encoder), "sigmoid", 64)
    mask_sources(tokenizer)
    save_model(model, tokenizer, tmp_path, {})
    classify = pipeline("text-classification", str(tmp_path), device="cpu")
    assert classify("【停水】2012年") == classify("停水1999年")
