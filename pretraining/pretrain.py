"""Pre-train the small encoder that comes along, on plain text and, with `--teacher`, on what a larger encoder holds.

    python pretraining/pretrain.py --corpora corpora --tokenizer tokenizer --teacher me5-small-zh --output_dir encoder

Two tasks, both read from a text in which whole words (jieba) are masked (Cui et al., 2019,
https://arxiv.org/abs/1906.08101): to name the masked tokens; and, at every token, masked or not, to hold in some
layers what the teacher, which reads the whole text, holds in some of its own (Jiao et al., 2020,
https://arxiv.org/abs/1909.10351; Baevski et al., 2022, https://arxiv.org/abs/2202.03555). The embeddings start from
the teacher's (`embed.py`), the layers from random weights.

Runs unchanged on a CPU, a GPU or, under `torchrun`, several; continues from the last checkpoint in `--output_dir`. At
its end this folder holds a plain `BertForMaskedLM` in fp16 with its tokenizer, and `pretraining.json` says how it was
made and which share of the masked tokens of held-out text it names.
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
PIECES = 192  # tokens of the same text for the teacher, whose pieces are longer
HELD_OUT = 100  # every so manyth text
IGNORED = -100
MULTIPLE = 16  # of lengths; a CPU keeps something for each shape that it has met
NUM_PLACES = 256  # so many more are masked words to a next one of few shapes
COLUMNS = ("input_ids", "words", "teacher_ids", "pieces")


def read_lines(corpora: Path) -> Dataset:
    """Return the lines of all `.txt` and `.txt.xz` files of a folder as column `text`, file by file."""
    files = sorted(str(path) for path in corpora.iterdir() if path.name.endswith((".txt", ".txt.xz")))
    return load_dataset("text", data_files=files, split="train")


def pack(lines: list[str], length: int) -> list[str]:
    """Return the lines joined to texts of at most about `length` characters; longer lines are cut."""
    texts, text = [], ""
    for line in map(str.strip, lines):
        for part in (line[start : start + length] for start in range(0, len(line), length)):
            if len(text) + len(part) > length:
                texts.append(text)
                text = ""
            text += part if not text or text[-1] in "。！？!?；…" else "。" + part
    return [text for text in [*texts, text] if text]


def encode(lines: dict[str, list[str]], tokenizer: Any, teacher_tokenizer: Any) -> dict[str, Any]:
    """Return lines, packed, as tokens of the student, the number of each token's word, and where the teacher reads it.

    `words` and `pieces` are -1 at special tokens; `pieces` also where the teacher's tokens end before.
    """
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    texts = pack(lines["text"], LENGTH - 16)
    told = tokenizer(texts, truncation=True, max_length=LENGTH, return_offsets_mapping=True)
    heard = teacher_tokenizer(texts, truncation=True, max_length=PIECES, return_offsets_mapping=True)
    for number, text in enumerate(texts):
        # The number of a token's word, and of its piece, is how many of them begin at or before its first character.
        word_starts = np.cumsum([0, *(len(word) for word in jieba.cut(text))])
        spans = np.array(told["offset_mapping"][number])
        pieces = np.array(heard["offset_mapping"][number])
        is_special = spans[:, 0] == spans[:, 1]
        words = np.searchsorted(word_starts, spans[:, 0], side="right") - 1
        places = np.searchsorted(pieces[1:-1, 0], spans[:, 0], side="right")
        out_of_reach = is_special | (spans[:, 0] >= pieces[-2, 1])
        rows["input_ids"].append(told["input_ids"][number])
        rows["words"].append(np.where(is_special, -1, words))
        rows["teacher_ids"].append(heard["input_ids"][number])
        rows["pieces"].append(np.where(out_of_reach, -1, places))
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
    """Return (B, T) tokens of which about `rate` are masked, word by word, and (B, T) whether each is one to name.

    Of the chosen words 80 % become `[MASK]`, 10 % random tokens, 10 % stay (Devlin et al., 2019).
    """
    lottery = torch.rand(len(words), int(words.max()) + 1)
    chosen = (torch.gather(lottery, 1, words.clamp(min=0)) < rate) & (words >= 0)
    fate = torch.gather(torch.rand_like(lottery), 1, words.clamp(min=0))
    strange = torch.randint(len(tokenizer.all_special_ids), len(tokenizer), input_ids.shape)
    masked = torch.where(chosen & (fate < 0.9), strange, input_ids)
    masked[chosen & (fate < 0.8)] = tokenizer.mask_token_id
    return masked, chosen


class Collator:
    """Pads texts to the longest and masks words; few shapes of batches suit GPUs and oneDNN alike."""

    def __init__(self, tokenizer: Any, teacher_tokenizer: Any, rate: float):
        self.tokenizer, self.rate = tokenizer, rate
        self.fillers = {
            "input_ids": tokenizer.pad_token_id,
            "words": -1,
            "teacher_ids": teacher_tokenizer.pad_token_id,
            "pieces": -1,
        }

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return the inputs of `Student`, with `teacher_ids`."""
        padded = {}
        for name, filler in self.fillers.items():
            longest = max(len(row[name]) for row in rows)
            values = np.full((len(rows), -(-longest // MULTIPLE) * MULTIPLE), filler, dtype=np.int64)
            for number, row in enumerate(rows):
                values[number, : len(row[name])] = row[name]
            padded[name] = torch.from_numpy(values)
        masked, chosen = mask_words(padded["input_ids"], padded["words"], self.rate, self.tokenizer)
        places = chosen.flatten().nonzero().squeeze(1)  # found here, so that a GPU need not wait for it
        places = F.pad(places, (0, -len(places) % NUM_PLACES))  # filled up with the first token, which is not to name
        return {
            "input_ids": masked,
            "attention_mask": (padded["input_ids"] != self.tokenizer.pad_token_id).long(),
            "labels": torch.where(chosen, padded["input_ids"], IGNORED),
            "places": places,
            "teacher_ids": padded["teacher_ids"],
            "pieces": padded["pieces"],
        }


class Student(BertForMaskedLM):
    """A BERT that also says how far some of its layers, `config.compared`, are from those of a teacher."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.to_teacher = nn.ModuleList(nn.Linear(config.hidden_size, config.teacher_size) for _ in config.compared)
        self.post_init()

    def forward(self, input_ids, attention_mask, labels, places, pieces=None, heard=None, spread=None):  # type: ignore[override]
        """Return the loss of naming (`loss_of_words`) and, where layers (B, P, H) are `heard`, of what differs.

        A difference is measured in `spread`, (H,) for each layer: the standard deviations of its features.
        """
        told = self.bert(input_ids, attention_mask, output_hidden_states=True)
        logits = self.cls(told.last_hidden_state.flatten(0, 1)[places])
        found = {"logits": logits, "loss_of_words": F.cross_entropy(logits.float(), labels.flatten()[places])}
        if heard is not None:
            weights = (pieces >= 0).float()
            where = pieces.clamp(min=0).unsqueeze(2).expand(-1, -1, self.config.teacher_size)
            errors = []
            for layer, head, theirs, unit in zip(self.config.compared, self.to_teacher, heard, spread, strict=True):
                missed = head(told.hidden_states[layer]) - torch.gather(theirs, 1, where)
                errors.append(((missed.float() / unit).square().mean(2) * weights).sum() / weights.sum())
            found["loss_of_teacher"] = torch.stack(errors).mean()
        return found


class Pretrainer(Trainer):
    """Adds the two losses; the teacher reads the text unmasked."""

    def __init__(
        self, *args: Any, teacher: BertModel | None, heard_layers: list[int], teacher_weight: float, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        self.teacher, self.heard_layers, self.teacher_weight = teacher, heard_layers, teacher_weight
        self.parts: dict[str, Tensor] = {}

    @torch.no_grad()
    def listen(self, teacher_ids: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the layers of the teacher that are compared, (B, P, H), and their features' spread, (H,) each."""
        mask = teacher_ids != self.teacher.config.pad_token_id
        layers = self.teacher(teacher_ids, mask, output_hidden_states=True).hidden_states
        heard = [layers[layer] for layer in self.heard_layers]
        weights = mask.float().unsqueeze(2) / mask.sum()
        spread = []
        for layer in heard:
            mean = (layer.float() * weights).sum((0, 1))
            spread.append(((layer.float() - mean).square() * weights).sum((0, 1)).sqrt() + 1e-3)
        return heard, spread

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # type: ignore[override]
        """Return the sum of the losses."""
        teacher_ids = inputs.pop("teacher_ids")
        if self.teacher is None:
            inputs.pop("pieces")
        else:
            inputs["heard"], inputs["spread"] = self.listen(teacher_ids)
        told = model(**inputs)
        self.parts = {name: value.detach() for name, value in told.items() if name.startswith("loss_of")}
        loss = told["loss_of_words"] + self.teacher_weight * told.get("loss_of_teacher", 0.0)
        return (loss, told) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the last batch's parts of the loss with its sum."""
        super().log(logs | {name: round(value.item(), 4) for name, value in self.parts.items()}, start_time)

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):  # type: ignore[override]
        """Return the loss, and (B, T) named tokens and those to name, both `IGNORED` elsewhere."""
        inputs = self._prepare_inputs(inputs)
        labels, places = inputs["labels"], inputs["places"]
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, told = self.compute_loss(model, inputs, return_outputs=True)
        named = torch.full_like(labels, IGNORED)
        named.view(-1)[places] = told["logits"].argmax(1)
        return loss.detach(), named, labels


def share_named(results: Any) -> dict[str, float]:
    """Return the share of masked tokens that were named."""
    asked = results.label_ids != IGNORED
    return {"masked_accuracy": float((results.predictions == results.label_ids)[asked].mean())}


def make_arguments(told: argparse.Namespace) -> TrainingArguments:
    """Return what Trainer is told."""
    hardware = detect_hardware(use_cpu=False)
    precision, _ = choose_precision("auto", hardware)
    return TrainingArguments(
        str(told.output_dir),
        use_cpu=hardware.device == "cpu",
        per_device_train_batch_size=told.batch_size,
        per_device_eval_batch_size=told.batch_size,
        max_steps=told.max_steps,
        learning_rate=told.learning_rate,
        warmup_steps=0.12,
        weight_decay=0.01,
        adam_beta2=0.98,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        seed=told.seed,
        logging_steps=min(100, told.max_steps),
        save_steps=1000,
        train_sampling_strategy="group_by_length",
        save_total_limit=1,
        report_to=[],
        remove_unused_columns=False,
        dataloader_num_workers=told.workers,
        dataloader_persistent_workers=told.workers > 0,
        dataloader_pin_memory=hardware.device == "cuda",
        ddp_find_unused_parameters=False,
    )


def make_student(
    told: argparse.Namespace, tokenizer: Any, teacher_tokenizer: Any, teacher: BertModel | None
) -> Student:
    """Return the model before its first step."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=told.width,
        num_hidden_layers=told.layers,
        num_attention_heads=told.width // 32,
        intermediate_size=told.inner,
        max_position_embeddings=LENGTH,
        pad_token_id=tokenizer.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        compared=[mine for mine, _ in told.compare] if teacher else [],
        teacher_size=teacher.config.hidden_size if teacher else 0,
    )
    student = Student(config)
    if teacher:
        start_embeddings(teacher, student.bert, teacher_tokenizer, tokenizer)
    return student


def finish(trainer: Pretrainer, tokenizer: Any, told: argparse.Namespace) -> None:
    """Write the plain model, its tokenizer and how it was made."""
    state = {key: value for key, value in trainer.model.state_dict().items() if not key.startswith("to_teacher")}
    plain = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    config = BertConfig(**{**trainer.model.config.to_dict(), **plain})
    del config.compared, config.teacher_size
    model = BertForMaskedLM(config)
    model.load_state_dict(state)
    model.half().save_pretrained(told.output_dir)
    tokenizer.save_pretrained(told.output_dir)
    facts = {
        "arguments": {key: str(value) for key, value in vars(told).items()},
        "log": trainer.state.log_history,
        "device": detect_hardware(use_cpu=False).name,
        "parameters": sum(value.numel() for value in model.parameters()),
    }
    (told.output_dir / "pretraining.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def pair(word: str) -> tuple[int, int]:
    """Return two numbers that stand as `1:2`."""
    mine, theirs = map(int, word.split(":"))
    return mine, theirs


def parse() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of .txt or .txt.xz, a line a text")
    parser.add_argument("--tokenizer", type=Path, required=True, help="what make_tokenizer.py wrote")
    parser.add_argument("--teacher", type=Path, help="folder of an encoder; without it masked words are all there is")
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=320, help="a multiple of 32: heads are 32 wide")
    parser.add_argument("--inner", type=int, default=832, help="width of the inner layers")
    parser.add_argument("--compare", type=pair, nargs="+", default=[(2, 4), (4, 9)], help="MINE:THEIRS, layers from 1")
    parser.add_argument("--masking_rate", type=float, default=0.2)
    parser.add_argument("--teacher_weight", type=float, default=10.0)
    parser.add_argument("--batch_size", type=int, default=512, help="texts for each process; 512 take 15 GB")
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--max_steps", type=int, default=2464)
    parser.add_argument("--workers", type=int, default=0, help="processes that mask words")
    parser.add_argument("--processes", type=int, default=2, help="processes that cut words, once")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Pre-train, evaluate, save."""
    told = parse()
    set_seed(told.seed)
    tokenizer = AutoTokenizer.from_pretrained(told.tokenizer)
    teacher_tokenizer = AutoTokenizer.from_pretrained(told.teacher) if told.teacher else tokenizer
    args = make_arguments(told)
    with args.main_process_first(local=False):
        data = make_dataset(told.corpora, tokenizer, teacher_tokenizer, told.processes)
    teacher = None
    if told.teacher:
        teacher = BertModel.from_pretrained(told.teacher, dtype=torch.float32, add_pooling_layer=False).eval()
        teacher.encoder.layer = teacher.encoder.layer[: max(theirs for _, theirs in told.compare)]
    student = make_student(told, tokenizer, teacher_tokenizer, teacher)
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
        heard_layers=[theirs for _, theirs in told.compare],
        teacher_weight=told.teacher_weight,
        train_dataset=data.select(np.flatnonzero(~is_held_out)).with_format("numpy"),
        eval_dataset=data.select(np.flatnonzero(is_held_out)).with_format("numpy"),
        data_collator=Collator(tokenizer, teacher_tokenizer, told.masking_rate),
        compute_metrics=share_named,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(told.output_dir) if told.output_dir.is_dir() else None)
    set_seed(0)  # the same words are masked, whatever came before
    trainer.evaluate()
    if trainer.is_world_process_zero():
        finish(trainer, tokenizer, told)


if __name__ == "__main__":
    main()
