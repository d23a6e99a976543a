import pytest

from hf_rumor.errors import ModelError
from hf_rumor.models.facts import read_facts


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
        read_facts("it", config, None)


def test_a_model_of_another_maker_has_the_usual_facts():
    facts = read_facts("it", {"id2label": {"1": "rumor", "0": "non-rumor"}, "max_position_embeddings": 512}, 128)
    assert (facts.activation, facts.threshold, facts.abstain_below) == ("softmax", 0.5, None)
    assert (facts.max_length, facts.padding_id) == (128, 0)
