import math

import numpy as np
import pytest
import torch

from hf_rumor.labels import LABEL_NAMES, rumor_probabilities


LOGITS = torch.tensor([[0.3, -1.2], [2.0, 0.7], [-0.4, 1.9]])


def test_the_position_of_a_label_name_is_its_number():
    assert (LABEL_NAMES[False], LABEL_NAMES[True]) == ("non-rumor", "rumor")


def test_the_sigmoid_depends_on_the_rumor_logit_alone():
    expected = [1 / (1 + math.exp(-float(rumor))) for rumor in LOGITS[:, 1]]
    assert rumor_probabilities(LOGITS, "sigmoid").tolist() == pytest.approx(expected)


def test_the_softmax_depends_on_both_logits():
    expected = [math.exp(rumor) / (math.exp(non_rumor) + math.exp(rumor)) for non_rumor, rumor in LOGITS.tolist()]
    assert rumor_probabilities(LOGITS, "softmax").tolist() == pytest.approx(expected)


def test_extreme_logits_do_not_overflow():
    extreme = np.array([[0.0, -1000.0], [0.0, 1000.0]])
    with np.errstate(all="raise", under="ignore"):
        assert rumor_probabilities(extreme, "sigmoid").tolist() == [0.0, 1.0]
