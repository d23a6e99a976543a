"""Make the tokenizer of the bundled encoder: that of the teacher, reduced to the vocabulary of the plain text.

    pip install sentencepiece opencc-python-reimplemented
    python pretraining/make_tokenizer.py --corpora corpora --teacher me5-small-zh --output_dir tokenizer

Every common Chinese character is a token, and so are the most frequent longer pieces of the teacher, mostly words.
Full-width forms become half-width (NFKC), upper case becomes lower case, and traditional characters become simplified.
Emoji and the brackets of Weibo's `[表情]` are always in the vocabulary.
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
EMOJI += "🙏🔥🎉💔💕💖🌹🌸🍀🎂🎁💰💣💊💉🚀🚗✈🚑🚒🚓🏠🏥🏫📢📣📱📷🔴🔊🔒⚠⚡☀☁☔❄⭐✨✅❌❗❓💯👨👩👧👦👶👮🐶🐱🐷🐴🐟🐍"
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
SPACE = "▁"  # a space in SentencePiece
LENGTH, NUM_CHARACTERS = 12_000, 4500


def folding_rules() -> dict[str, str]:
    """Return the replacement of each character: NFKC, lower case, simplified."""
    to_simplified = OpenCC("t2s").convert
    rules = {}
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x2FA20)):
        character = chr(code)
        folded = to_simplified(unicodedata.normalize("NFKC", character).lower())
        if folded != character and unicodedata.category(character) != "Cn":
            rules[character] = folded
    return rules


def compile_rules(rules: dict[str, str]) -> bytes:
    """Return the rules as the double-array trie of `tokenizers`."""
    with tempfile.TemporaryDirectory() as folder:
        tsv, text, model = (Path(folder) / name for name in ("rules.tsv", "text.txt", "made.model"))
        rows = ["\t".join(" ".join(f"{ord(part):X}" for part in side) for side in rule) for rule in rules.items()]
        tsv.write_text("".join(f"{row}\n" for row in rows))
        text.write_text("any text\n" * 10)
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


def make_normalizer() -> normalizers.Normalizer:
    """Return the normalizer: one form for each character, one space for several."""
    return normalizers.Sequence(
        [
            normalizers.Precompiled(compile_rules(folding_rules())),
            normalizers.BertNormalizer(handle_chinese_chars=False, lowercase=True),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def choose_pieces(lines: Iterable[str], teacher: Tokenizer, normalizer: normalizers.Normalizer) -> list[str]:
    """Return single characters, then longer pieces of the teacher, the most frequent first."""
    folded = [normalizer.normalize_str(line) for line in lines]
    characters = Counter(character for line in folded for character in line if not character.isspace())
    pieces = Counter(piece for line in teacher.encode_batch(folded, add_special_tokens=False) for piece in line.tokens)
    always = [normalizer.normalize_str(character).strip() for character in [*ALWAYS, *EMOJI]]
    single = dict.fromkeys([*always, *(character for character, _ in characters.most_common())])
    longer = [piece for piece, _ in pieces.most_common() if len(piece.strip(SPACE)) > 1]
    return [*SPECIAL, SPACE, *list(single)[:NUM_CHARACTERS], *longer][:LENGTH]


def make_tokenizer(lines: Iterable[str], teacher: Tokenizer) -> PreTrainedTokenizerFast:
    """Return a tokenizer with the probabilities of the teacher and fewer pieces."""
    score = dict(json.loads(teacher.to_str())["model"]["vocab"])
    normalizer = make_normalizer()
    pieces = choose_pieces(lines, teacher, normalizer)
    unseen = min(score.values())
    backend = Tokenizer(models.Unigram([(piece, score.get(piece, unseen)) for piece in pieces], pieces.index("[UNK]")))
    backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme="first")  # no space after [MASK]
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
    parser.add_argument("--corpora", type=Path, required=True, help="folder of .txt or .txt.xz, one text per line")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of an encoder with a Unigram tokenizer")
    parser.add_argument("--output_dir", type=Path, required=True)
    arguments = parser.parse_args()
    teacher = Tokenizer.from_file(str(arguments.teacher / "tokenizer.json"))
    make_tokenizer(read_lines(arguments.corpora)["text"], teacher).save_pretrained(arguments.output_dir)


if __name__ == "__main__":
    main()
