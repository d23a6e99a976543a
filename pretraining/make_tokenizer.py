"""Make the tokenizer of the encoder that comes along: the teacher's, cut to what the plain text holds.

    pip install sentencepiece opencc-python-reimplemented
    python pretraining/make_tokenizer.py --corpora corpora --teacher me5-small-zh --output_dir tokenizer

Every common Chinese character is a token, and so are the most frequent of the teacher's longer pieces, words mostly.
Full-width forms become half-width (NFKC), upper case lower case, and traditional characters the simplified ones, so
that a post in any of them is read alike. Emoji and the brackets of Weibo's `[表情]` are in the vocabulary whether or
not the text holds them.
"""

import argparse
import json
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
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ALWAYS = [*map(chr, range(0x21, 0x7F)), *"。，、；：？！…—·《》「」『』【】〔〕“”‘’￥°℃%‰√×÷→←↑↓■□●○★☆▲△♪♥❤"]
EMOJI = [chr(code) for first, last in ((0x1F600, 0x1F64F), (0x1F440, 0x1F450)) for code in range(first, last + 1)]
EMOJI += [
    *"🙏🔥🎉💔💕💖🌹🌸🍀🎂🎁💰💣💊💉🚀🚗✈🚑🚒🚓🏠🏥🏫📢📣📱📷🔴🔊🔒⚠⚡☀☁☔❄⭐✨✅❌❗❓💯👨👩👧👦👶👮🐶🐱🐷🐴🐟🐍"
]
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
SPACE = "▁"  # what SentencePiece writes for a space
LENGTH, NUM_CHARACTERS = 12_000, 4500


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


def fold() -> normalizers.Normalizer:
    """Return the normalizer: one reading for every way to write a character, one space for many."""
    return normalizers.Sequence(
        [
            normalizers.Precompiled(compile_rules(folding_rules())),
            normalizers.BertNormalizer(handle_chinese_chars=False, lowercase=True),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def choose_pieces(lines: Iterable[str], teacher: Tokenizer, normalizer: normalizers.Normalizer) -> list[str]:
    """Return single characters, then the teacher's longer pieces, both the most frequent first."""
    folded = [normalizer.normalize_str(line) for line in lines]
    characters = Counter(character for line in folded for character in line if not character.isspace())
    pieces = Counter(piece for line in teacher.encode_batch(folded, add_special_tokens=False) for piece in line.tokens)
    always = [normalizer.normalize_str(character).strip() for character in [*ALWAYS, *EMOJI]]
    single = dict.fromkeys([*always, *(character for character, _ in characters.most_common())])
    longer = [piece for piece, _ in pieces.most_common() if len(piece.strip(SPACE)) > 1]
    return [*SPECIAL, SPACE, *list(single)[:NUM_CHARACTERS], *longer][:LENGTH]


def make_tokenizer(lines: Iterable[str], teacher: Tokenizer) -> PreTrainedTokenizerFast:
    """Return a tokenizer that cuts as the teacher's does, by the same probabilities, from fewer pieces."""
    score = dict(json.loads(teacher.to_str())["model"]["vocab"])
    normalizer = fold()
    pieces = choose_pieces(lines, teacher, normalizer)
    unseen = min(score.values())
    backend = Tokenizer(models.Unigram([(piece, score.get(piece, unseen)) for piece in pieces], pieces.index("[UNK]")))
    backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme="first")  # after a [MASK] comes no space
    backend.decoder = decoders.Metaspace(SPACE, prepend_scheme="first")
    backend.post_processor = processors.BertProcessing(
        ("[SEP]", pieces.index("[SEP]")), ("[CLS]", pieces.index("[CLS]"))
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    named: dict[str, Any] = dict(zip(names, SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=256, model_input_names=INPUTS, **named)


def main() -> None:
    """Write the tokenizer into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of .txt or .txt.xz, a line a text")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of an encoder with a Unigram tokenizer")
    parser.add_argument("--output_dir", type=Path, required=True)
    told = parser.parse_args()
    teacher = Tokenizer.from_file(str(told.teacher / "tokenizer.json"))
    make_tokenizer(read_lines(told.corpora)["text"], teacher).save_pretrained(told.output_dir)


if __name__ == "__main__":
    main()
