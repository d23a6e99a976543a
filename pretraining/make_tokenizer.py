"""Make the tokenizer of the encoder that comes along: a WordPiece of single characters, counted in plain text.

    pip install sentencepiece opencc-python-reimplemented
    python pretraining/make_tokenizer.py --corpora corpora --output_dir tokenizer

A Chinese character is a token. Full-width forms become half-width (NFKC), upper case lower case, and traditional
characters the simplified ones, so that a post in any of them is read alike. Within a Latin word or a number every
character after the first is marked with `##`; the most frequent of these words are tokens of their own. Emoji and the
brackets of Weibo's `[表情]` are in the vocabulary whether or not the text holds them.
"""

import argparse
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sentencepiece
from opencc import OpenCC
from pretrain import read_lines
from sentencepiece.sentencepiece_model_pb2 import ModelProto
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ALWAYS = [*map(chr, range(0x21, 0x7F)), *"。，、；：？！…—·《》「」『』【】〔〕“”‘’￥°℃%‰√×÷→←↑↓■□●○★☆▲△♪♥❤"]
EMOJI = [chr(code) for first, last in ((0x1F600, 0x1F64F), (0x1F440, 0x1F450)) for code in range(first, last + 1)]
EMOJI += [
    *"🙏🔥🎉💔💕💖🌹🌸🍀🎂🎁💰💣💊💉🚀🚗✈🚑🚒🚓🏠🏥🏫📢📣📱📷🔴🔊🔒⚠⚡☀☁☔❄⭐✨✅❌❗❓💯👨👩👧👦👶👮🐶🐱🐷🐴🐟🐍"
]
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
LENGTH, NUM_WORDS = 5888, 400


def folding_rules() -> dict[str, str]:
    """Return what each character is replaced with: NFKC, lower case, simplified."""
    to_simplified = OpenCC("t2s").convert
    rules = {}
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x2FA20)):
        character = chr(code)
        folded = to_simplified(unicodedata.normalize("NFKC", character).lower())
        if folded != character and unicodedata.category(character) != "Cn":
            rules[character] = folded
    return rules


def compile_rules(rules: dict[str, str]) -> bytes:
    """Return the rules as the double array that `tokenizers` looks characters up in."""
    with tempfile.TemporaryDirectory() as folder:
        tsv, text, model = (Path(folder) / name for name in ("rules.tsv", "text.txt", "made.model"))
        hexed = (" ".join(f"{ord(part):X}" for part in side) for rule in rules.items() for side in rule)
        tsv.write_text("".join(f"{source}\t{target}\n" for source, target in zip(hexed, hexed, strict=True)))
        text.write_text("any text does\n" * 10)
        sentencepiece.SentencePieceTrainer.train(
            input=str(text),
            model_prefix=str(model.with_suffix("")),
            normalization_rule_tsv=str(tsv),
            model_type="char",
            vocab_size=16,
            hard_vocab_limit=False,
            minloglevel=2,
        )
        return bytes(ModelProto.FromString(model.read_bytes()).normalizer_spec.precompiled_charsmap)


def count_pieces(lines: Iterable[str], backend: Tokenizer) -> tuple[Counter[str], Counter[str]]:
    """Return how often single characters occur, `##` before those that continue a word, and whole words."""
    words: Counter[str] = Counter()
    for line in lines:
        normal = backend.normalizer.normalize_str(line)
        words.update(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal))
    characters: Counter[str] = Counter()
    for word, count in words.items():
        for piece in (word[0], *(f"##{character}" for character in word[1:])):
            characters[piece] += count
    return characters, Counter({word: count for word, count in words.items() if len(word) > 1})


def make_tokenizer(lines: Iterable[str], length: int, num_words: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer of `length` tokens, `num_words` of them whole Latin words or numbers."""
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(compile_rules(folding_rules())), normalizers.BertNormalizer(lowercase=True)]
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    characters, words = count_pieces(lines, backend)
    always = [backend.normalizer.normalize_str(character).strip() for character in [*ALWAYS, *EMOJI]]
    continued = [f"##{character}" for character in always if character.isalnum() or character in EMOJI]
    vocabulary = dict.fromkeys([*SPECIAL, *always, *continued, *(word for word, _ in words.most_common(num_words))])
    vocabulary |= dict.fromkeys([piece for piece, _ in characters.most_common()])
    tokens = list(vocabulary)[:length]
    backend.model = models.WordPiece(
        {token: number for number, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100
    )
    backend.post_processor = processors.BertProcessing(
        ("[SEP]", tokens.index("[SEP]")), ("[CLS]", tokens.index("[CLS]"))
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    named: dict[str, Any] = dict(zip(names, SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=256, model_input_names=INPUTS, **named)


def main() -> None:
    """Write the tokenizer into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of .txt or .txt.xz, a line a text")
    parser.add_argument("--output_dir", type=Path, required=True)
    told = parser.parse_args()
    make_tokenizer(read_lines(told.corpora)["text"], LENGTH, NUM_WORDS).save_pretrained(told.output_dir)


if __name__ == "__main__":
    main()
