import re

from hf_rumor.inference.chinese import CHINESE, translator
from hf_rumor.inference.classifier import Prediction
from hf_rumor.inference.explanation import Explanation, Piece, explanation_page
from hf_rumor.models.facts import Facts
from hf_rumor.models.inputs import InputConfig, TokenizerFacts


def test_the_page_has_a_chinese_form():
    words = [Piece("停水", 0, 1.5)]
    explanation = Explanation("停水", Prediction(0.875, "rumor"), [], words, 1.95, 0.45, error=0.01, num_steps=32)
    facts = Facts("sigmoid", 0.5, None, InputConfig(64), TokenizerFacts())
    page = explanation_page([explanation], facts, "out", "zh")
    assert '<html lang="zh-CN">' in page
    assert CHINESE["Increase the probability"] in page
    body = page.split("<body>")[1]
    assert re.findall(r"(?i)\b(?:the|of|is|model|weights?)\b", re.sub(r"<[^>]*>", "", body)) == []
    assert translator("en")("Increase the probability") == "Increase the probability"
