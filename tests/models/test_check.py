import pytest

from hf_rumor import RumorClassifier
from hf_rumor.errors import RunError
from hf_rumor.models.check import check_saved
from hf_rumor.models.inputs import as_posts


def test_a_folder_reproduces_its_own_probabilities(folder, texts):
    probabilities = RumorClassifier.from_pretrained(folder).probabilities(texts)
    check_saved(folder, as_posts(texts[:16]), probabilities[:16])
    check_saved(folder, [], [])


@pytest.mark.parametrize("change", [1e-4, float("nan")])
def test_other_probabilities_are_an_error_that_states_what_to_do(folder, texts, change):
    probabilities = RumorClassifier.from_pretrained(folder).probabilities(texts[:3])
    probabilities[1] += change
    with pytest.raises(RunError, match=r"does not reproduce the reported probabilities.*--calibration none"):
        check_saved(folder, as_posts(texts[:3]), probabilities)
