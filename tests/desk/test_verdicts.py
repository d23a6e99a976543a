import pytest

from hf_rumor.desk.verdicts import verdict_in


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"verdict": "rumor"}, "rumor"),
        ({"verdict": " Non-Rumor "}, "non-rumor"),
        ({"结论": "谣言"}, "rumor"),
        ({"核查结果": "属实"}, "non-rumor"),
        ({"verdict": "待定"}, "undecided"),
        ({"verdict": "", "结论": "非谣言"}, "non-rumor"),
        ({"verdict": None}, ""),
        ({"text": "谣言"}, ""),
    ],
)
def test_words_in_a_column_of_verdicts_are_read(values, expected):
    assert verdict_in(values) == expected


@pytest.mark.parametrize("word", ["maybe", "1", "?"])
def test_other_words_are_refused(word):
    with pytest.raises(ValueError, match=r"is unknown\. Write rumor, non-rumor, undecided"):
        verdict_in({"verdict": word})
