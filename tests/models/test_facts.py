from dataclasses import asdict

import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models.facts import Facts, read_facts
from hf_rumor.models.inputs import InputConfig, TokenizerFacts


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"0": "LABEL_0", "1": "LABEL_1"}, "the labels are 0 = LABEL_0, 1 = LABEL_1, not 0 = non-rumor"),
        ({"0": "rumor", "1": "non-rumor"}, "the labels are 0 = rumor, 1 = non-rumor, not"),
        ({"0": "non-rumor"}, "the labels are 0 = non-rumor, not"),
    ],
)
def test_a_model_with_other_labels_is_refused(labels, message):
    with pytest.raises(ModelError, match=message):
        read_facts("it", {"id2label": labels}, TokenizerFacts(), 512)


LABELS = {"id2label": {"1": "rumor", "0": "non-rumor"}}


def test_a_model_that_hf_rumor_did_not_train_has_default_facts():
    facts = read_facts("it", LABELS, TokenizerFacts(padding_id=1), 128)
    assert facts == Facts("softmax", 0.5, None, InputConfig(128), TokenizerFacts(padding_id=1))


def test_saved_facts_are_read():
    saved = {"threshold": 0.0, "abstain_below": 0.75, "inputs": asdict(InputConfig(64))}
    config = {**LABELS, "problem_type": "multi_label_classification", "hf_rumor": saved}
    facts = read_facts("it", config, TokenizerFacts(), 128)
    assert facts == Facts("sigmoid", 0.0, 0.75, InputConfig(64), TokenizerFacts())
