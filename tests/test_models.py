"""Every architecture of the how-to works with every command: its table of architectures is made here."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers.processors import TemplateProcessing
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline

from hf_rumor.cli.main import main
from hf_rumor.config.parse import parse_arguments
from hf_rumor.evaluation import measure
from hf_rumor.runs.fit import fit, make_trainer
from hf_rumor.runs.resolve import resolve


pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "any_model.md"
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
SIZES |= {"max_position_embeddings": 66}
RELATIVE = {**SIZES, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}
DECODER = {**SIZES, "num_key_value_heads": 2, "head_dim": 8}
SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "cls_token_id", "sep_token_id")

FSDP = Path(__file__).parents[1] / "docs" / "accelerate" / "fsdp.yaml"
ON_CPUS = """
import sys

from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from hf_rumor.cli.main import main


create = AcceleratorState.__init__


def create_sharded(self, *args, fsdp_plugin=None, **kwargs):
    create(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
    self.fsdp_plugin = fsdp_plugin or vars(self).get("fsdp_plugin")
    if self.fsdp_plugin is not None:
        self.distributed_type = DistributedType.FSDP


AcceleratorState.__init__ = create_sharded  # accelerate would not shard on CPUs
sys.exit(main(["train", *sys.argv[1:]]))
"""


@dataclass(frozen=True)
class Architecture:
    """A name in the table, the values of a tiny configuration, and what kind of model it is."""

    name: str
    config: dict
    is_decoder: bool = False
    has_segments: bool = False  # whether the model takes `token_type_ids`


ARCHITECTURES = {
    "bert": Architecture("BERT", SIZES, has_segments=True),
    "roberta": Architecture("RoBERTa", SIZES),
    "xlm-roberta": Architecture("XLM-R", SIZES),
    "distilbert": Architecture("DistilBERT", {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 64}),
    "deberta": Architecture("DeBERTa", RELATIVE, has_segments=True),
    "deberta-v2": Architecture(
        "DeBERTa-v2, v3", {**RELATIVE, "norm_rel_ebd": "layer_norm", "position_buckets": 8}, has_segments=True
    ),
    "electra": Architecture("ELECTRA", {**SIZES, "embedding_size": 32}, has_segments=True),
    "albert": Architecture("ALBERT", {**SIZES, "embedding_size": 16}, has_segments=True),
    "modernbert": Architecture("ModernBERT, mmBERT", {**SIZES, "local_attention": 16}),
    "gpt2": Architecture("GPT-2", {"n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 66}, is_decoder=True),
    "llama": Architecture("Llama", DECODER, is_decoder=True),
    "qwen2": Architecture("Qwen2", DECODER, is_decoder=True),
    "qwen3": Architecture("Qwen3", DECODER, is_decoder=True),
    "gemma": Architecture("Gemma", DECODER, is_decoder=True),
    "gemma2": Architecture("Gemma 2", DECODER, is_decoder=True),
    "gemma3_text": Architecture("Gemma 3", DECODER, is_decoder=True),
}


def save_base(kind, tokenizer_folder, folder):
    """Save a tiny base model with random weights as it is on the Hub: without a head, decoders without padding."""
    architecture = ARCHITECTURES[kind]
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    if not architecture.has_segments:
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    if architecture.is_decoder:
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
        tokenizer.pad_token, tokenizer.eos_token, tokenizer.padding_side = None, "[SEP]", "left"
    special = None if architecture.is_decoder else tokenizer.pad_token_id
    ids = dict.fromkeys(SPECIAL, special) if kind != "distilbert" else {}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **architecture.config, **ids)
    torch.manual_seed(0)
    (AutoModelForCausalLM if architecture.is_decoder else AutoModel).from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def words(request, tiny_encoder, make_posts, tmp_path):
    """Return the command line of a run of two steps with a checkpoint after each."""
    model = save_base(request.param, tiny_encoder, tmp_path / "base")
    rows = [{"id": post.post_id, "text": post.text, "label": int(post.is_rumor)} for post in make_posts(120)]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    words = ["--model_name_or_path", str(model), "--data_path", str(tmp_path / "posts.jsonl"), "--max_length", "64"]
    words += ["--layer_lr_decay", "0.9", "--max_steps", "2", "--save_strategy", "steps", "--save_steps", "1"]
    words += ["--eval_strategy", "no", "--load_best_model_at_end", "False", "--report_to", "none", "--use_cpu"]
    return [*words, "--precision", "fp32", "--disable_tqdm", "True"]


@pytest.mark.parametrize("words", ARCHITECTURES, indirect=True)
def test_every_command_works_with_the_architecture(words, tmp_path, monkeypatch, request):
    monkeypatch.setattr(measure, "NUM_RESAMPLES", 20)
    out = tmp_path / "out"
    works = {}
    works["train"] = succeeds("train", *words, "--adversarial_radius", "0.1", "--output_dir", out)
    adversarial = [*words, "--adversarial_radius", "0.1", "--output_dir", tmp_path / "again"]
    resumed = train([*adversarial, "--resume_from_checkpoint", out / "checkpoint-1", "--calibration", "none"])
    works["resume"] = differences(resumed, out / "checkpoint-2") < 1e-6
    adapted = train([*words, "--lora_r", "2", "--output_dir", tmp_path / "lora"])
    works["LoRA"] = type(adapted) is type(resumed) and differences(adapted, out / "checkpoint-2") > 0
    works["plain pipeline"] = difference_of_pipeline(out, tmp_path / "posts.jsonl") < 1e-5
    works["predict"] = succeeds("predict", out, "听说明天停水，快转发")
    works["explain"] = succeeds("explain", out, "听说明天停水，快转发")
    works["ONNX"] = succeeds("export", out, "--output_dir", tmp_path / "onnx", "--data_path", tmp_path / "posts.jsonl")
    [kind] = [kind for kind in ARCHITECTURES if f"[{kind}]" in request.node.name]
    cells = [ARCHITECTURES[kind].name, *("yes" if value else "no" for value in works.values())]
    row = f"| {' | '.join(cells)} |"
    page = PAGE.read_text(encoding="utf-8")
    assert f"| architecture | {' | '.join(works)} |" in page
    assert row in page.splitlines(), "the row is not in the table of docs/howto/any_model.md"


def succeeds(*words):
    with redirect_stdout(StringIO()):
        return main([str(word) for word in words]) == 0


def train(words):
    """Return the model after training, before calibration."""
    run = resolve(parse_arguments([str(word) for word in words]))
    torch.manual_seed(run.args.seed)
    trainer = make_trainer(run, *run.load_model())
    fit(run, trainer)
    return trainer.plain_model()


def differences(model, checkpoint):
    """Return the largest difference between the weights of a model and those of a checkpoint."""
    saved = load_file(checkpoint / "model.safetensors")
    ours = model.state_dict()
    return max(float((ours[name] - saved[name]).abs().max()) for name in saved)


def difference_of_pipeline(folder, posts):
    """Return by how much the pipeline of plain transformers differs from the reported probabilities, at most."""
    texts = {row["id"]: row["text"] for row in map(json.loads, posts.read_text(encoding="utf-8").splitlines())}
    rows = list(map(json.loads, (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()))
    classify = pipeline("text-classification", str(folder), device="cpu", top_k=None)
    scores = classify([texts[row["id"]] for row in rows], batch_size=8)
    rumor = [score["score"] for post in scores for score in post if score["label"] == "rumor"]
    return max(abs(one - row["rumor_probability"]) for one, row in zip(rumor, rows, strict=True))


@pytest.mark.parametrize(("words", "flags"), [("bert", []), ("qwen3", ["--lora_r", "4"])], indirect=["words"])
def test_a_sharded_model_has_the_weights_of_one_process_also_when_resumed(words, flags, tmp_path):
    (tmp_path / "on_cpus.py").write_text(ON_CPUS)
    words = [*words, *flags, "--optim", "sgd", "--learning_rate", "0.1", "--calibration", "none"]
    if not flags:
        words += ["--config_overrides", '{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}']
    launch = [Path(sys.executable).parent / "accelerate", "launch", "--config_file", FSDP, "--num_processes", "2"]
    launch += ["--main_process_port", "0", "--mixed_precision", "no", tmp_path / "on_cpus.py"]
    sharded = [*launch, *words, "--per_device_train_batch_size", "8", "--output_dir"]
    start(sys.executable, "-m", "hf_rumor", "train", *words, "--output_dir", tmp_path / "alone")
    start(*sharded, tmp_path / "sharded")
    checkpoint = tmp_path / "sharded" / "checkpoint-1"
    assert (checkpoint / "pytorch_model_fsdp_0").is_dir()
    start(*sharded, tmp_path / "resumed", "--resume_from_checkpoint", checkpoint)
    expected = load_file(tmp_path / "alone" / "model.safetensors")
    for name in ("sharded", "resumed"):
        weights = load_file(tmp_path / name / "model.safetensors")
        assert weights.keys() == expected.keys()
        for key, weight in expected.items():
            torch.testing.assert_close(weights[key], weight, rtol=0, atol=1e-6)
        assert difference_of_pipeline(tmp_path / name, tmp_path / "posts.jsonl") < 1e-5


def start(*words):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
