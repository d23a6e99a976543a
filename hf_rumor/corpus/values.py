"""Read the values that corpora write in many ways: labels, times, texts."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any


CHINA = timezone(timedelta(hours=8))  # Weibo writes local time; China has had no other zone since 1991

MAX_CHARACTERS = 1_000_000  # of a post; Weibo allows a few thousand

LABEL_WORDS = {
    "0": False,
    "non-rumor": False,
    "non_rumor": False,
    "nonrumor": False,
    "non-rumour": False,
    "false": False,
    "非谣言": False,
    "1": True,
    "rumor": True,
    "rumour": True,
    "true": True,  # of a column that says whether the post is a rumor
    "谣言": True,
}

WRITTEN_DATE = re.compile(  # 2013/6/29 12:40, 2013年6月29日
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]*(\d{1,2})[:时](\d{2})分?(?::?(\d{2})秒?)?)?", re.ASCII
)

BOOLEANS = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def parse_label(value: Any) -> bool:
    """Return whether `value` says rumor.

    Accepts 0/1, true/false (true: it is a rumor), rumor/non-rumor, 谣言/非谣言, in any case.

    Raises:
        ValueError: The value is none of these.
    """
    word = "" if isinstance(value, dict | list) else _written(value).strip().lower().removesuffix(".0")
    if word not in LABEL_WORDS:
        raise ValueError(f"expected a label out of {', '.join(LABEL_WORDS)}, got {_shown(value)}")
    return LABEL_WORDS[word]


def parse_time(value: Any) -> int | None:
    """Return seconds since 1970-01-01 UTC, or None where `value` is not a time.

    Accepts seconds (10 digits) and milliseconds (13 digits) as number or text, `Sat Jun 29 12:40:09 +0800 2013`, ISO
    dates, and dates as spreadsheets and people write them (`WRITTEN_DATE`); one without a zone is China Standard Time.
    """
    if isinstance(value, dict | list):
        return None
    if isinstance(value, datetime):
        return _seconds(value)
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
    whole, _, fraction = text.partition(".")
    if text.isascii() and whole.isdigit() and (not fraction or fraction.isdigit()):
        if len(whole) not in (9, 10, 13):
            return None
        return int(whole) // 1000 if len(whole) == 13 else int(whole)
    for parse in (datetime.fromisoformat, _parse_weibo_time, _parse_written_date):
        try:
            return _seconds(parse(text))
        except ValueError:
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
    found = WRITTEN_DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return datetime(*(int(part) for part in found.groups(default="0")))  # type: ignore[arg-type]


def parse_bool(value: Any) -> bool | None:
    """Return what 0/1, true/false or yes/no, in any case, say; None where `value` is none of these."""
    return BOOLEANS.get(str(value).strip().lower().removesuffix(".0"))


def parse_count(value: Any) -> int | None:
    """Return a whole number from 0 to 2**31 - 1, or None where `value` is none."""
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_text(value: Any) -> str:
    """Return `value` as text without surrounding blanks; None and NaN, which pandas writes for it, are the empty text.

    Lone surrogates, which JSON can smuggle in and Arrow cannot store, become question marks.

    Raises:
        ValueError: The value is a list or an object, longer than any post, or bytes that are not UTF-8.
    """
    if value is None or value != value:
        return ""
    if isinstance(value, dict | list):
        raise ValueError(f"expected a text, got {_shown(value)}")
    text = _written(value)
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"expected a text of at most {MAX_CHARACTERS:,} characters, got {len(text):,}")
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _written(value: Any) -> str:
    """Return a scalar as text: bytes, as old writers of Parquet leave them, decoded; whole floats as whole numbers."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float) and value.is_integer():  # ids, in a column where pandas found a gap
        return str(int(value))
    return str(value)


def _shown(value: Any) -> str:
    """Return a value as it can be quoted; one nested deep would overflow the stack, a long one the line."""
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else f"{value!r:.60}"
