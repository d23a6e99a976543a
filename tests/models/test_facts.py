from dataclasses import asdict

import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models.facts import Facts, read_facts
from hf_rumor.models.inputs import InputConfig, TokenizerFacts


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "found 0 = LABEL_0, 1 = LABEL_1"),
        ({"id2label": {"0": "rumor", "1": "non-rumor"}}, "found 0 = rumor, 1 = non-rumor"),
        ({"id2label": {"0": "non-rumor"}}, "found 0 = non-rumor"),
    ],
)
def test_a_model_of_other_labels_is_refused(config, said):
    with pytest.raises(ModelError, match=said):
        read_facts("it", config, TokenizerFacts(), 512)


LABELS = {"id2label": {"1": "rumor", "0": "non-rumor"}}


def test_a_model_that_was_trained_elsewhere_has_the_usual_facts():
    facts = read_facts("it", LABELS, TokenizerFacts(padding_id=1), 128)
    assert facts == Facts("softmax", 0.5, None, InputConfig(128), TokenizerFacts(padding_id=1))


def test_the_facts_of_a_training_are_read_back():
    ours = {"threshold": 0.0, "abstain_below": 0.75, "inputs": asdict(InputConfig(64))}
    config = {**LABELS, "problem_type": "multi_label_classification", "hf_rumor": ours}
    facts = read_facts("it", config, TokenizerFacts(), 128)
    assert facts == Facts("sigmoid", 0.0, 0.75, InputConfig(64), TokenizerFacts())
