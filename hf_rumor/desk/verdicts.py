"""What a person decided about a post, as words in a table."""

from collections.abc import Mapping
from typing import Any

from hf_rumor.corpus.values import LABEL_WORDS, label_word
from hf_rumor.labels import LABEL_NAMES


UNDECIDED = "undecided"
VERDICTS = (*reversed(LABEL_NAMES), UNDECIDED)
COLUMNS = ("verdict", "结论", "核查结论", "核查结果")  # the first one is written
UNDECIDED_WORDS = (
    *("undecided", "uncertain", "unknown", "unverified"),
    *("待定", "待核实", "待核查", "存疑", "不确定", "无法判断", "无法核实", "未证实"),
)


def verdict_in(values: Mapping[str, Any]) -> str:
    """Return the verdict of a row, one of `VERDICTS`; empty if it has none.

    Raises:
        ValueError: It is another word.
    """
    written = next((values[name] for name in COLUMNS if values.get(name) not in (None, "")), None)
    word = label_word(written)
    if written is None or not word:
        return ""
    if word in UNDECIDED_WORDS:
        return UNDECIDED
    if word not in LABEL_WORDS:
        raise ValueError(f"verdict {written!r:.40} is unknown. Write {', '.join(VERDICTS)}, 谣言, 非谣言 or 待定")
    return LABEL_NAMES[LABEL_WORDS[word]]
