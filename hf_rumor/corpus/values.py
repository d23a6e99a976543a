"""Parse the values that corpora write in many ways: labels, times, counts, texts."""

import json
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from hf_rumor.errors import ArgumentError
from hf_rumor.labels import LABEL_NAMES


CHINA = timezone(timedelta(hours=8))  # Weibo writes local time; China has had no other zone since 1991

MAX_CHARACTERS = 1_000_000  # of a post; Weibo allows a few thousand

# Without case, spaces, hyphens and underscores.
LABEL_WORDS = {
    **dict.fromkeys(("nonrumor", "nonrumour", "notrumor", "real", "realnews", "truenews"), False),
    **dict.fromkeys(("非谣言", "不是谣言", "真实", "真新闻", "真实新闻", "事实", "属实"), False),
    **dict.fromkeys(("rumor", "rumour", "fake", "fakenews", "falsenews", "misinformation"), True),
    **dict.fromkeys(("谣言", "是谣言", "虚假", "不实", "不属实", "假新闻", "虚假新闻", "不实信息"), True),
}
# Answers to the question that the name of the column asks; without one, letters and characters are about truth.
ANSWERS = {
    **dict.fromkeys(("0", "false", "no", "否", "假", "f"), False),
    **dict.fromkeys(("1", "true", "yes", "是", "真", "t"), True),
}
ABOUT_TRUTH = ("真", "假", "t", "f")
UNCERTAIN = ("u", "unverified", "uncertain", "unknown", "mixed", "mixture", "存疑", "未证实", "不确定", "有待证实")
# Names of columns that ask for truth (is_true, non_rumor, 是否属实) or for a rumor (is_rumor, 是否谣言).
ASKS_FOR_TRUTH = re.compile(r"(is_?)?(real|true)|.*(non.?rumou?r|非谣言|真实|属实).*", re.IGNORECASE)
ASKS_FOR_RUMOR = re.compile(".*(rumou?r|fake|谣言|虚假|不实).*", re.IGNORECASE)
ASKS_FOR_EITHER = re.compile("真假|真伪|veracity", re.IGNORECASE)

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "训练", "训练集"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval", "验证", "验证集", "开发集"), "validation"),
    **dict.fromkeys(("test", "testing", "测试", "测试集"), "test"),
}

WRITTEN_DATE = re.compile(  # 2013/6/29 12:40, 2013年6月29日, 2013-06-29 24:00
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]*(\d{1,2})[:时](\d{2})分?(?::?(\d{2})秒?)?)?", re.ASCII
)

WITHOUT_YEAR = re.compile(  # 03月05日 05:11, as Weibo writes dates of the current year
    r"(\d{1,2})[-/.月](\d{1,2})日?[ T]*(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)

LabelMap: TypeAlias = tuple[tuple[str, bool | None], ...]  # label word -> rumor; None: posts with it are skipped

BOOLEANS = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def parse_label(value: Any, column: str = "label") -> bool:
    """Return whether `value` means rumor.

    Words such as rumor, fake and 谣言 have one meaning. The meaning of 1, true, 是 and 真 depends on the name of the
    column: rumor in `is_rumor`, non-rumor in `is_true`. In any other column, 真 and T mean non-rumor, 1 and true mean
    rumor (but are refused in `真假`), and 是 is refused.

    Raises:
        ValueError: The value is unknown, or its meaning is not clear.
    """
    word, name = label_word(value), column.strip()
    if word in LABEL_WORDS:
        return LABEL_WORDS[word]
    if value is None or value != value or (not word and isinstance(value, str)):
        raise ValueError("the label is empty. Add the label, or remove the post.")
    if word in UNCERTAIN:
        raise ValueError(
            f"label {_shown(value)} is neither rumor nor non-rumor. Define each label with --label_map; null "
            "skips such posts."
        )
    if word not in ANSWERS:
        raise ValueError(
            f"label {_shown(value)} is unknown. Define each label with --label_map, or name another column with "
            "--label_column."
        )
    if ASKS_FOR_TRUTH.fullmatch(name):
        return not ANSWERS[word]
    if ASKS_FOR_RUMOR.fullmatch(name):
        return ANSWERS[word]
    if word in ABOUT_TRUTH:
        return not ANSWERS[word]
    if word in ("yes", "no", "是", "否") or ASKS_FOR_EITHER.fullmatch(name):
        raise ValueError(
            f"label {_shown(value)} in column {column!r} is ambiguous. Rename the column to is_rumor or is_true, or "
            "write rumor and non-rumor."
        )
    return ANSWERS[word]


def is_by_convention(word: str, column: str) -> bool:
    """Return whether an answer such as 1 means rumor by convention only, not by itself or its column."""
    asks = any(pattern.fullmatch(column.strip()) for pattern in (ASKS_FOR_TRUTH, ASKS_FOR_RUMOR, ASKS_FOR_EITHER))
    return not asks and word not in ABOUT_TRUTH


def parse_label_map(text: str | None) -> LabelMap | None:
    """Return the meaning of each label in a JSON object such as `{"fake": "rumor", "real": "non-rumor", "2": null}`.

    Raises:
        ArgumentError: It is not such an object.
    """
    if text is None:
        return None
    what = f"--label_map {text}"
    example = """Write '{"fake": "rumor", "real": "non-rumor"}'"""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ArgumentError(f"{what}: not valid JSON ({error}). {example}.") from error
    meanings: dict[str | None, bool | None] = {**dict(zip(LABEL_NAMES, (False, True), strict=True)), None: None}
    if not isinstance(values, dict) or any(isinstance(value, dict | list) for value in values.values()):
        raise ArgumentError(f"{what}: not a JSON object of labels. {example}.")
    for label, value in values.items():
        if value not in meanings:
            raise ArgumentError(f"{what}: {label!r} is {value!r}. Use rumor, non-rumor, or null to skip such posts.")
    if not {True, False} <= {meanings[value] for value in values.values()}:
        raise ArgumentError(f"{what}: {' and '.join(LABEL_NAMES)} are both needed. {example}.")
    return tuple((label_word(label), meanings[value]) for label, value in values.items())


def map_label(value: Any, labels: LabelMap) -> bool | None:
    """Return whether `value` means rumor by a label map; None if posts with this label are skipped.

    A word with one meaning, such as the labels of CED, need not be in the map.

    Raises:
        ValueError: The map does not have it.
    """
    meanings: dict[str, bool | None] = {**LABEL_WORDS, **dict(labels)}
    if (word := label_word(value)) not in meanings:
        known = ", ".join(label for label, _ in labels)
        raise ValueError(
            f"label {_shown(value)} is not in the label map ({known}). Add it to --label_map; null skips such posts."
        )
    return meanings[word]


def label_word(value: Any) -> str:
    """Return a label in lower case, without spaces, hyphens and underscores; whole floats as whole numbers."""
    if isinstance(value, dict | list):
        return ""
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", "", _written(value).strip().removesuffix(".0")).lower()


def parse_split(value: Any) -> str | None:
    """Return train, validation or test; None if `value` is none of these."""
    return SPLIT_WORDS.get(str(value).strip().lower())


def parse_time(value: Any) -> int | None:
    """Return seconds since 1970-01-01 UTC, or None if `value` is not a time.

    Accepts seconds (10 digits) and milliseconds (13 digits) as number or text, `Sat Jun 29 12:40:09 +0800 2013`, ISO
    dates, and dates as spreadsheets and people write them (`WRITTEN_DATE`); 24:00 is the end of the day. A time
    without a zone is China Standard Time. 6/7/2013 stays unread: day and month could be meant either way.
    """
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, datetime):
        return _seconds(value)
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
    whole, _, fraction = text.partition(".")
    if len(whole) == 8 and fraction in ("", "0"):
        text = whole  # 20130629, which is ISO as well
    elif text.isascii() and whole.isdigit() and (not fraction or fraction.isdigit()):
        if len(whole) not in (9, 10, 13):
            return None
        return int(whole) // 1000 if len(whole) == 13 else int(whole)
    for parse in (datetime.fromisoformat, _parse_weibo_time, _parse_written_date):
        try:
            return _seconds(parse(text))
        except (ValueError, OverflowError):
            continue
    return None


def _seconds(moment: datetime) -> int | None:
    """Return seconds since 1970-01-01 UTC, or None for year 0 or 10000 in China, which some write for none."""
    try:
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).timestamp())
        datetime.fromtimestamp(seconds, CHINA)
    except (ValueError, OverflowError):
        return None
    return seconds


def _parse_weibo_time(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")


def _parse_written_date(text: str) -> datetime:
    match = WRITTEN_DATE.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second = map(int, match.groups(default="0"))
    is_end_of_day = (hour, minute, second) == (24, 0, 0)
    moment = datetime(year, month, day, 0 if is_end_of_day else hour, minute, second)
    return moment + timedelta(days=1) if is_end_of_day else moment


def parse_without_year(value: Any, posted_at: int | None) -> int | None:
    """Return the time of a repost that is written without a year: the first such time after the post.

    A time without seconds is the end of its minute, so that nothing is read before it was written. None if `value` is
    no such time, or the time of the post is unknown.
    """
    match = WITHOUT_YEAR.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or posted_at is None:
        return None
    month, day, hour, minute, second = map(int, match.groups(default="59"))
    year = datetime.fromtimestamp(posted_at, CHINA).year
    for candidate in range(year, year + 5):  # the next February 29 is at most 4 years away, but for 1900 and 2100
        try:
            moment = _seconds(datetime(candidate, month, day, hour, minute, second))
        except ValueError:
            continue
        if moment is not None and moment >= posted_at:
            return moment
    return None


def parse_bool(value: Any) -> bool | None:
    """Return the meaning of 0/1, true/false or yes/no, in any case; None for other values."""
    return BOOLEANS.get(str(value).strip().lower().removesuffix(".0"))


def parse_count(value: Any) -> int | None:
    """Return a whole number of at most nine digits, or None for other values."""
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_text(value: Any) -> str:
    """Return `value` as text without surrounding whitespace; empty for None, NaN and blank texts.

    Lone surrogates, which JSON can contain and Arrow cannot store, become question marks.

    Raises:
        ValueError: The value is a list or an object, longer than any post, or bytes that are not UTF-8.
    """
    if not isinstance(value, str):  # a corpus has millions of values, almost all of them texts
        if value is None or value != value:
            return ""
        if isinstance(value, dict | list):
            raise ValueError(f"{_shown(value)} is not a text")
        value = _written(value)
    if len(value) > MAX_CHARACTERS:
        raise ValueError(f"a text of {len(value):,} characters; at most {MAX_CHARACTERS:,} are read")
    text: str = value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    text = text.strip()
    return "" if text and not text[0].isalnum() and is_blank(text) else text


def is_blank(text: str) -> bool:
    """Return whether a text consists of whitespace and format characters (Unicode category Cf, such as U+200B)."""
    return all(character.isspace() or unicodedata.category(character) == "Cf" for character in text)


def _written(value: Any) -> str:
    """Return a scalar as text. Whole floats become whole numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):  # texts in Parquet files of old writers
        return value.decode("utf-8")
    if isinstance(value, float) and value.is_integer():  # ids in a column that pandas read with a gap
        return str(int(value))
    return str(value)


def _shown(value: Any) -> str:
    """Return a value for a message: shortened, and without `repr` of nested values, which may overflow the stack."""
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else f"{value!r:.60}"
