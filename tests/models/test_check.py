from contextlib import nullcontext

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.errors import RunError
from hf_rumor.models.check import check_saved
from hf_rumor.models.inputs import as_posts


ERROR = r"does not reproduce the reported probabilities.*--calibration none"


@pytest.mark.parametrize("change", [0.0, 1e-6, 1e-4, float("nan")])
def test_only_the_probabilities_of_the_folder_are_accepted(folder, texts, change):
    probabilities = RumorClassifier.from_pretrained(folder).probabilities(texts[:3])
    probabilities[1] += change
    with nullcontext() if change < 1e-5 else pytest.raises(RunError, match=ERROR):
        check_saved(folder, as_posts(texts[:3]), probabilities)
