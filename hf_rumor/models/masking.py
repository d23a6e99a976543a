"""Mask what is typical of a source rather than of rumors: links, mentions, brackets, hashtags, repeated marks, digits.

The replacements are part of the tokenizer, so that they are saved with the model and happen wherever it is used.
"""

import json
from typing import Any

from tokenizers import Regex, normalizers


REPLACEMENTS = (  # pattern (Oniguruma), replacement
    (r"https?[:：]?//[\w./?=&%~#:-]+", ""),
    (r"(?:回复|转自|分享自|来自|via)?\s*@[\w\-·]{1,30}[:：]?", ""),
    (r"网页链接|秒拍视频|微博视频|转发微博|[（(]分享[^）)]{0,20}[）)]", ""),
    (r"[【】\[\]「」『』〖〗《》#]", ""),
    (r"//+", " "),
    (r"[!！]+", "！"),
    (r"[?？]+", "？"),
    (r"[.。…]{2,}", "…"),
    (r"\d", "0"),
)


def mask_sources(tokenizer: Any) -> None:
    """Let a fast tokenizer make the replacements before anything else; a tokenizer that already does stays."""
    backend = tokenizer.backend_tokenizer
    steps = [normalizers.Replace(Regex(pattern), content) for pattern, content in REPLACEMENTS]
    before = json.loads(backend.to_str()).get("normalizer") or {}
    if before.get("type") == "Sequence" and before["normalizers"][0].get("pattern") == {"Regex": REPLACEMENTS[0][0]}:
        return
    own = [] if backend.normalizer is None else [backend.normalizer]
    # Some tokenizers begin a text with a token for a space, but not if its first characters were replaced.
    edges = [normalizers.Strip(), normalizers.Prepend(" ")]
    backend.normalizer = normalizers.Sequence([*steps, *edges, *own])
