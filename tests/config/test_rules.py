import dataclasses

from transformers import TrainingArguments

from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments
from hf_rumor.config.rules import ALIASES, MINIMUMS, NOT_IN_RECIPE, PATHS, REFUSED, REQUIRES


OURS = {entry.name for entry in dataclasses.fields(RunArguments)}
THEIRS = {entry.name for entry in dataclasses.fields(TrainingArguments)}


def test_tables_name_flags_that_exist():
    for names in (MINIMUMS, PATHS, NOT_IN_RECIPE, REQUIRES, REQUIRES.values(), ALIASES.values()):
        assert {*names} <= OURS | THEIRS
    assert {*REFUSED, *TRAINING_DEFAULTS} <= THEIRS
    assert not OURS & THEIRS


def test_an_alias_is_not_a_flag_itself():
    assert not {*ALIASES} & (OURS | THEIRS)
