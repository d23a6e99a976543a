"""Pre-train the small bundled encoder on plain text, and with `--teacher` on the hidden states of a larger encoder.

    python pretraining/pretrain.py --corpora corpora --tokenizer tokenizer --teacher me5-small-zh --output_dir encoder

Two tasks on text in which whole words (jieba) are masked (Cui et al., 2019, https://arxiv.org/abs/1906.08101):

- masked language modeling;
- distillation: at every token, some layers predict hidden states of the teacher for the unmasked text (Jiao et al.,
  2020, https://arxiv.org/abs/1909.10351; Baevski et al., 2022, https://arxiv.org/abs/2202.03555).

The embeddings start from those of the teacher (`embed.py`), the layers from random weights.

Runs on a CPU, a GPU or, with `torchrun`, several; resumes from the last checkpoint in `--output_dir`. Writes a plain
`BertForMaskedLM` in fp16, its tokenizer, and `pretraining.json` with the arguments and the log, which ends with the
masked accuracy on held-out text.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import jieba
import numpy as np
import torch
from datasets import Dataset, Features, List, Value, load_dataset
from embed import start_embeddings
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from hf_rumor.models.cpu.attention import attend_shortly
from hf_rumor.models.cpu.memory import keep_freed_memory
from hf_rumor.training.hardware import choose_precision, detect_hardware


LENGTH = 256  # tokens of a text for the student
PIECES = 192  # tokens of the same text for the teacher, whose tokens are longer
HELD_OUT = 100  # every 100th text is held out
IGNORED = -100
MULTIPLE = 16  # texts are padded to a multiple of this, since oneDNN caches a kernel for each shape
MASK_MULTIPLE = 256  # the number of masked tokens in a batch is padded to a multiple of this
COLUMNS = ("input_ids", "words", "teacher_ids", "pieces")


def read_lines(corpora: Path) -> Dataset:
    """Return the lines of all `.txt` and `.txt.xz` files of a folder as column `text`, file by file."""
    files = sorted(str(path) for path in corpora.iterdir() if path.name.endswith((".txt", ".txt.xz")))
    return load_dataset("text", data_files=files, split="train")


def pack(lines: list[str], length: int) -> list[str]:
    """Join lines to texts of at most about `length` characters; cut longer lines."""
    texts, text = [], ""
    for line in map(str.strip, lines):
        for part in (line[start : start + length] for start in range(0, len(line), length)):
            if len(text) + len(part) > length:
                texts.append(text)
                text = ""
            text += part if not text or text[-1] in "。！？!?；…" else "。" + part
    return [text for text in [*texts, text] if text]


def encode(lines: dict[str, list[str]], tokenizer: Any, teacher_tokenizer: Any) -> dict[str, Any]:
    """Pack lines to texts; return for each token of the student the index of its word and of its token of the teacher.

    `words` and `pieces` are -1 at special tokens; `pieces` also after the end of the truncated text of the teacher.
    """
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    texts = pack(lines["text"], LENGTH - 16)
    encoded = tokenizer(texts, truncation=True, max_length=LENGTH, return_offsets_mapping=True)
    teacher = teacher_tokenizer(texts, truncation=True, max_length=PIECES, return_offsets_mapping=True)
    for number, text in enumerate(texts):
        # The index of a token's word, and of its piece, is how many of them begin at or before its first character.
        word_starts = np.cumsum([0, *(len(word) for word in jieba.cut(text))])
        spans = np.array(encoded["offset_mapping"][number])
        piece_spans = np.array(teacher["offset_mapping"][number])
        is_special = spans[:, 0] == spans[:, 1]
        words = np.searchsorted(word_starts, spans[:, 0], side="right") - 1
        pieces = np.searchsorted(piece_spans[1:-1, 0], spans[:, 0], side="right")
        has_no_piece = is_special | (spans[:, 0] >= piece_spans[-2, 1])
        rows["input_ids"].append(encoded["input_ids"][number])
        rows["words"].append(np.where(is_special, -1, words))
        rows["teacher_ids"].append(teacher["input_ids"][number])
        rows["pieces"].append(np.where(has_no_piece, -1, pieces))
    return rows


def make_dataset(corpora: Path, tokenizer: Any, teacher_tokenizer: Any, processes: int) -> Dataset:
    """Return the corpora as packed, encoded texts, cached by `datasets`."""
    return read_lines(corpora).map(
        encode,
        batched=True,
        batch_size=5000,
        num_proc=processes,
        remove_columns=["text"],
        features=Features({name: List(Value("int32")) for name in COLUMNS}),
        fn_kwargs={"tokenizer": tokenizer, "teacher_tokenizer": teacher_tokenizer},
        desc="Encoding",
    )


def mask_words(
    input_ids: Tensor, words: Tensor, rate: float, tokenizer: PreTrainedTokenizerBase
) -> tuple[Tensor, Tensor]:
    """Choose about `rate` of the words; return (B, T) tokens with these masked, and (B, T) whether each is chosen.

    80% of the chosen words become `[MASK]`, 10% random tokens, 10% stay (Devlin et al., 2019).
    """
    draws = torch.rand(len(words), int(words.max()) + 1)  # one per word
    chosen = (torch.gather(draws, 1, words.clamp(min=0)) < rate) & (words >= 0)
    kind = torch.gather(torch.rand_like(draws), 1, words.clamp(min=0))
    random_ids = torch.randint(len(tokenizer.all_special_ids), len(tokenizer), input_ids.shape)
    masked = torch.where(chosen & (kind < 0.9), random_ids, input_ids)
    masked[chosen & (kind < 0.8)] = tokenizer.mask_token_id
    return masked, chosen


class Collator:
    """Pads texts to the longest and masks words; GPUs and oneDNN are faster with few shapes of batches."""

    def __init__(self, tokenizer: Any, teacher_tokenizer: Any, rate: float):
        self.tokenizer, self.rate = tokenizer, rate
        padding = (tokenizer.pad_token_id, -1, teacher_tokenizer.pad_token_id, -1)
        self.padding = dict(zip(COLUMNS, padding, strict=True))

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return the inputs of `Student`, with `teacher_ids`."""
        padded = {}
        for name, filler in self.padding.items():
            column = pad_sequence([torch.tensor(row[name]) for row in rows], batch_first=True, padding_value=filler)
            padded[name] = F.pad(column.long(), (0, -column.shape[1] % MULTIPLE), value=filler)
        masked, chosen = mask_words(padded["input_ids"], padded["words"], self.rate, self.tokenizer)
        positions = chosen.flatten().nonzero().squeeze(1)  # computed here, since it would synchronize a GPU
        return {
            "input_ids": masked,
            "attention_mask": (padded["input_ids"] != self.tokenizer.pad_token_id).long(),
            "labels": torch.where(chosen, padded["input_ids"], IGNORED),
            "positions": F.pad(positions, (0, -len(positions) % MASK_MULTIPLE)),  # the first token is never chosen
            "teacher_ids": padded["teacher_ids"],
            "pieces": padded["pieces"],
        }


class Student(BertForMaskedLM):
    """A BERT that also predicts hidden states of a teacher from some of its layers, `config.compared`."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.to_teacher = nn.ModuleList(nn.Linear(config.hidden_size, config.teacher_size) for _ in config.compared)
        self.post_init()

    def forward(self, input_ids, attention_mask, labels, positions, pieces=None, targets=None, scales=None):  # type: ignore[override]
        """Return logits and loss at `positions` of the flattened batch and, with `targets`, the loss of distillation.

        The `scales`, (H,), are the standard deviations of the features of the `targets`, (B, P, H), of a layer.
        """
        outputs = self.bert(input_ids, attention_mask, output_hidden_states=True)
        logits = self.cls(outputs.last_hidden_state.flatten(0, 1)[positions])
        result = {"logits": logits, "loss_of_words": F.cross_entropy(logits.float(), labels.flatten()[positions])}
        if targets is not None:
            weights = (pieces >= 0).float()
            index = pieces.clamp(min=0).unsqueeze(2).expand(-1, -1, self.config.teacher_size)
            losses = []
            for layer, head, target, scale in zip(self.config.compared, self.to_teacher, targets, scales, strict=True):
                error = head(outputs.hidden_states[layer]) - torch.gather(target, 1, index)
                losses.append(((error.float() / scale).square().mean(2) * weights).sum() / weights.sum())
            result["loss_of_teacher"] = torch.stack(losses).mean()
        return result


class Pretrainer(Trainer):
    """Adds the two losses; the teacher gets the text unmasked."""

    def __init__(
        self, *args: Any, teacher: BertModel | None, teacher_layers: list[int], teacher_weight: float, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        self.teacher, self.teacher_layers, self.teacher_weight = teacher, teacher_layers, teacher_weight
        self.parts: dict[str, Tensor] = {}

    @torch.no_grad()
    def teach(self, teacher_ids: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return hidden states of the teacher, (B, P, H), and the standard deviations of their features, (H,)."""
        mask = teacher_ids != self.teacher.config.pad_token_id
        states = self.teacher(teacher_ids, mask, output_hidden_states=True).hidden_states
        targets = [states[layer] for layer in self.teacher_layers]
        weights = mask.float().unsqueeze(2) / mask.sum()
        scales = []
        for target in targets:
            mean = (target.float() * weights).sum((0, 1))
            scales.append(((target.float() - mean).square() * weights).sum((0, 1)).sqrt() + 1e-3)
        return targets, scales

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[override]
        """Return the sum of the losses."""
        teacher_ids = inputs.pop("teacher_ids")
        if self.teacher is None:
            inputs.pop("pieces")
        else:
            inputs["targets"], inputs["scales"] = self.teach(teacher_ids)
        outputs = model(**inputs)
        self.parts = {name: value.detach() for name, value in outputs.items() if name.startswith("loss_of")}
        loss = outputs["loss_of_words"] + self.teacher_weight * outputs.get("loss_of_teacher", 0.0)
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the parts of the loss of the last batch, too."""
        super().log(logs | {name: round(value.item(), 4) for name, value in self.parts.items()}, start_time)

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):  # type: ignore[override]
        """Return the loss, and (B, T) the predicted and the masked tokens, both `IGNORED` elsewhere."""
        inputs = self._prepare_inputs(inputs)
        labels, positions = inputs["labels"], inputs["positions"]
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
        predicted = torch.full_like(labels, IGNORED)
        predicted.view(-1)[positions] = outputs["logits"].argmax(1)
        return loss.detach(), predicted, labels


def masked_accuracy(results: Any) -> dict[str, float]:
    """Return the share of masked tokens that were predicted correctly."""
    is_masked = results.label_ids != IGNORED
    return {"masked_accuracy": float((results.predictions == results.label_ids)[is_masked].mean())}


def make_training_arguments(arguments: argparse.Namespace) -> TrainingArguments:
    """Return the arguments of Trainer."""
    hardware = detect_hardware(use_cpu=False)
    precision, _ = choose_precision("auto", hardware)
    return TrainingArguments(
        str(arguments.output_dir),
        use_cpu=hardware.device == "cpu",
        per_device_train_batch_size=arguments.batch_size,
        per_device_eval_batch_size=arguments.batch_size,
        max_steps=arguments.max_steps,
        learning_rate=arguments.learning_rate,
        warmup_steps=0.12,
        weight_decay=0.01,
        adam_beta2=0.98,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        seed=arguments.seed,
        logging_steps=min(100, arguments.max_steps),
        save_steps=1000,
        train_sampling_strategy="group_by_length",
        save_total_limit=1,
        report_to=[],
        remove_unused_columns=False,
        dataloader_num_workers=arguments.workers,
        dataloader_persistent_workers=arguments.workers > 0,
        dataloader_pin_memory=hardware.device == "cuda",
        ddp_find_unused_parameters=False,
    )


def make_student(
    arguments: argparse.Namespace, tokenizer: Any, teacher_tokenizer: Any, teacher: BertModel | None
) -> Student:
    """Return the untrained model."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=arguments.width,
        num_hidden_layers=arguments.layers,
        num_attention_heads=arguments.width // 32,
        intermediate_size=arguments.inner,
        max_position_embeddings=LENGTH,
        pad_token_id=tokenizer.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        compared=[layer for layer, _ in arguments.compare] if teacher else [],
        teacher_size=teacher.config.hidden_size if teacher else 0,
    )
    student = Student(config)
    if teacher:
        start_embeddings(teacher, student.bert, teacher_tokenizer, tokenizer)
    return student


def save(trainer: Pretrainer, tokenizer: Any, arguments: argparse.Namespace) -> None:
    """Write the plain model, its tokenizer, and `pretraining.json`."""
    state = {key: value for key, value in trainer.model.state_dict().items() if not key.startswith("to_teacher")}
    dropout = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    config = BertConfig(**{**trainer.model.config.to_dict(), **dropout})
    del config.compared, config.teacher_size
    model = BertForMaskedLM(config)
    model.load_state_dict(state)
    model.half().save_pretrained(arguments.output_dir)
    tokenizer.save_pretrained(arguments.output_dir)
    facts = {
        "arguments": {key: str(value) for key, value in vars(arguments).items()},
        "log": trainer.state.log_history,
        "device": detect_hardware(use_cpu=False).name,
        "parameters": sum(value.numel() for value in model.parameters()),
    }
    (arguments.output_dir / "pretraining.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def pair(text: str) -> tuple[int, int]:
    """Parse `1:2`."""
    first, second = map(int, text.split(":"))
    return first, second


def parse() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of .txt or .txt.xz, one text per line")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder that make_tokenizer.py wrote")
    parser.add_argument("--teacher", type=Path, help="folder of an encoder; default: no distillation")
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=320, help="a multiple of 32: heads are 32 wide")
    parser.add_argument("--inner", type=int, default=832, help="width of the inner layers")
    parser.add_argument(
        "--compare", type=pair, nargs="+", default=[(2, 4), (4, 9)], help="STUDENT:TEACHER, layers from 1"
    )
    parser.add_argument("--masking_rate", type=float, default=0.2)
    parser.add_argument("--teacher_weight", type=float, default=10.0)
    parser.add_argument("--batch_size", type=int, default=512, help="texts per process; 512 need 15 GB")
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--max_steps", type=int, default=2464)
    parser.add_argument("--workers", type=int, default=0, help="processes that mask words")
    parser.add_argument("--processes", type=int, default=2, help="processes that cut words, once")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Pre-train, evaluate, save."""
    arguments = parse()
    set_seed(arguments.seed)
    tokenizer = AutoTokenizer.from_pretrained(arguments.tokenizer)
    teacher_tokenizer = AutoTokenizer.from_pretrained(arguments.teacher) if arguments.teacher else tokenizer
    args = make_training_arguments(arguments)
    with args.main_process_first(local=False):
        data = make_dataset(arguments.corpora, tokenizer, teacher_tokenizer, arguments.processes)
    teacher, teacher_layers = None, [layer for _, layer in arguments.compare]
    if arguments.teacher:
        teacher = BertModel.from_pretrained(arguments.teacher, dtype=torch.float32, add_pooling_layer=False).eval()
        teacher.encoder.layer = teacher.encoder.layer[: max(teacher_layers)]
    student = make_student(arguments, tokenizer, teacher_tokenizer, teacher)
    if teacher:
        teacher.to(args.device, torch.bfloat16 if args.bf16 else torch.float16 if args.fp16 else torch.float32)
    if args.use_cpu and args.bf16:
        keep_freed_memory()
        for model in (student, teacher) if teacher else (student,):
            attend_shortly(model)
    is_held_out = np.arange(len(data)) % HELD_OUT == 0
    trainer = Pretrainer(
        student,
        args,
        teacher=teacher,
        teacher_layers=teacher_layers,
        teacher_weight=arguments.teacher_weight,
        train_dataset=data.select(np.flatnonzero(~is_held_out)).with_format("numpy"),
        eval_dataset=data.select(np.flatnonzero(is_held_out)).with_format("numpy"),
        data_collator=Collator(tokenizer, teacher_tokenizer, arguments.masking_rate),
        compute_metrics=masked_accuracy,
    )
    checkpoint = get_last_checkpoint(arguments.output_dir) if arguments.output_dir.is_dir() else None
    trainer.train(resume_from_checkpoint=checkpoint)
    set_seed(0)  # mask the same words in every run
    trainer.evaluate()
    if trainer.is_world_process_zero():
        save(trainer, tokenizer, arguments)


if __name__ == "__main__":
    main()
