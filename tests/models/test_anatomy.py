import json

import pytest
from transformers import AutoModel, AutoModelForSequenceClassification

from hf_rumor.errors import ModelError
from hf_rumor.models.anatomy import LAYERS, WIDTH, read_anatomy


@pytest.mark.parametrize("kind", ["roberta", "gpt2", "xlnet"])
def test_the_number_of_weights_is_that_of_the_loaded_model(save_other, kind):
    folder = save_other(kind)
    anatomy = read_anatomy(str(folder))
    assert anatomy.num_parameters == AutoModelForSequenceClassification.from_pretrained(folder).num_parameters()
    assert (anatomy.setting(LAYERS), anatomy.setting(WIDTH)) == (2, 32)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("bert", ["bert.pooler.dense 32x32", "classifier 2x32"]),
        ("roberta", ["classifier.dense 32x32", "classifier.out_proj 2x32"]),
        ("gpt2", ["score 2x32"]),
    ],
)
def test_the_head_is_what_follows_the_encoder(save_other, kind, head):
    assert read_anatomy(str(save_other(kind))).head == head


def test_the_head_of_an_encoder_is_its_pooler(tiny_encoder):
    assert read_anatomy(str(tiny_encoder)).head == ["pooler.dense 32x32"]


def test_weights_in_several_files_are_counted(tmp_path, tiny_encoder):
    model = AutoModel.from_pretrained(tiny_encoder)
    model.save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert read_anatomy(str(tmp_path)).num_parameters == model.num_parameters()


@pytest.mark.parametrize("config", [None, "{", "{}", "[]"])
def test_a_folder_without_a_model_is_an_error(tmp_path, config):
    if config:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match="not a transformers model"):
        read_anatomy(str(tmp_path))


def test_a_folder_without_weights_is_described_by_its_configuration(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    anatomy = read_anatomy(str(tmp_path))
    assert (anatomy.num_parameters, anatomy.head, anatomy.setting(LAYERS)) == (0, [], None)
