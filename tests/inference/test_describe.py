import pytest

from hf_rumor.errors import ModelError
from hf_rumor.inference.describe import describe_model, to_text
from hf_rumor.training.models import load_model, save_model


@pytest.fixture
def folder(tmp_path):
    def make(activation="sigmoid", **facts):
        model, tokenizer = load_model("mini", activation, ["天气天气"], 32)
        if facts:
            save_model(model, tokenizer, tmp_path, facts)
        else:
            model.save_pretrained(tmp_path)
        return model, str(tmp_path)

    return make


def test_a_model_of_ours_is_described_with_its_loss(folder):
    model, name = folder(formula="BCEWithLogitsLoss on one-hot labels", kwargs={}, threshold=0.4, max_length=32)
    description = describe_model(name)
    assert description.num_parameters == model.num_parameters()
    assert description.architecture == "BertForSequenceClassification"
    assert description.activation == "gelu"
    assert "pooler" in description.head
    assert "classifier Linear(in_features=256, out_features=2" in description.head
    assert description.trained_with == "BCEWithLogitsLoss on one-hot labels"
    assert description.outputs_loss.startswith("BCEWithLogitsLoss")
    assert description.probability.startswith("sigmoid")
    assert (description.threshold, description.max_tokens) == (0.4, 32)
    assert "1 = rumor" in to_text(description)


def test_a_model_of_another_maker_is_described_without_guessing(folder):
    _, name = folder("softmax")
    description = describe_model(name)
    assert description.trained_with is None
    assert description.threshold is None
    assert description.outputs_loss.startswith("CrossEntropyLoss")
    assert "not trained by hf_rumor" in to_text(description)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere"])
def test_a_missing_folder_is_told(name):
    with pytest.raises(ModelError, match="expected a folder with a model, found none"):
        describe_model(name)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="expected a model of transformers"):
        describe_model(str(tmp_path))


def test_a_name_that_is_not_to_be_had_is_told():
    with pytest.raises(ModelError, match="no way to"):
        describe_model("someone/some-model")
