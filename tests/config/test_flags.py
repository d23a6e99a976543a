import dataclasses

import pytest
from transformers import TrainingArguments

from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments
from hf_rumor.errors import ArgumentError


OURS = {entry.name for entry in dataclasses.fields(RunArguments)}
THEIRS = {entry.name for entry in dataclasses.fields(TrainingArguments)}


def test_every_flag_has_a_help_text():
    assert all(entry.metadata["help"].endswith(".") for entry in dataclasses.fields(RunArguments))
    assert all(words.endswith(".") for _, words in TRAINING_DEFAULTS.values())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"layer_lr_decay": 0.0}, "--layer_lr_decay 0: not in"),
        ({"lora_dropout": 1.0}, "--lora_dropout 1: must be below 1"),
        ({"lora_r": 4, "freeze_embeddings": True}, "--freeze_embeddings: --lora_r freezes all weights"),
        ({"distillation_weight": 0.0}, "--distillation_weight 0: not in (0, 1]"),
        ({"distillation_temperature": 0.0}, "--distillation_temperature 0: must be above 0"),
        ({"teacher": "big", "streaming": True}, "--teacher: cannot be combined with --streaming"),
        ({"abstain_below": 0.4}, "--abstain_below 0.4: not between 0.5 and 1"),
        ({"decision": "f1"}, "--decision f1"),
        ({"loss_kwargs": "gamma=2"}, "--loss_kwargs gamma=2: not valid JSON"),
        ({"loss_kwargs": "[1]"}, "not a JSON object"),
        ({"config_overrides": "dropout=0"}, "--config_overrides dropout=0: not valid JSON"),
    ],
)
def test_a_value_out_of_range_is_refused(flags, message):
    with pytest.raises(ArgumentError) as caught:
        RunArguments(**flags)
    assert message in str(caught.value)
