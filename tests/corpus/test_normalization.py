import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_rumor.corpus.normalization import normalize


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("听说 明天\u3000停水\n", "听说明天停水"),  # whitespace
        ("听说\u200b明天\ufeff停\u00ad水", "听说明天停水"),  # format characters
        ("ＡＢＣ１２，！", "abc12,!"),  # full-width forms
        ("①㎡㍿", "1m2株式会社"),
        ("聽說明天全市停水，請轉發", "听说明天全市停水,请转发"),  # traditional characters
        ("髮發", "发发"),
        ("e\u0301 ｶﾞ", "É ガ"),  # combining marks
        ("Straße", "STRASSE"),
        ("", "\u200b \u2060"),
    ],
)
def test_copies_that_look_alike_are_equal(one, other):
    assert normalize(one) == normalize(other)


def test_other_texts_stay_different():
    texts = ["听说停水", "听说停电", "停水听说", "听说停水!", "😀", "😁", "\ud800", "\0"]
    assert len({normalize(text) for text in texts}) == len(texts)


@given(st.text(max_size=20))
def test_compatibility_forms_do_not_matter(text):
    assert normalize(text) == normalize(unicodedata.normalize("NFKC", text)) == normalize(f" {text}\u200b")


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_loses_case_and_whitespace_only(text):
    assert normalize(text) == "".join(text.split()).lower()
