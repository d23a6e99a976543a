import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    RobertaConfig,
    RobertaModel,
)

from hf_rumor.errors import ModelError
from hf_rumor.models import encoders
from hf_rumor.models.encoders import MINI_FOLDER, check_tokenizer, freeze_embeddings, load_encoder, resolve_model
from hf_rumor.models.save import save_model


@pytest.fixture
def saved(tmp_path, tiny_encoder):
    torch.manual_seed(0)
    model, tokenizer = load_encoder(str(tiny_encoder), "sigmoid", 32)
    save_model(model, tokenizer, tmp_path, {"threshold": 0.5})
    return model, tokenizer, tmp_path


def test_a_folder_can_be_trained_on(saved):
    model, tokenizer = load_encoder(str(saved[2]), "softmax", 16)
    assert model.config.problem_type == "single_label_classification"
    assert model.dtype == torch.float32
    assert tokenizer.model_max_length == 16


@pytest.mark.parametrize("name", ["mini", None])
def test_a_value_of_the_configuration_can_be_overridden_and_a_misspelt_one_is_refused(saved, name):
    name = name or str(saved[2])
    model, _ = load_encoder(name, "sigmoid", 32, {"hidden_dropout_prob": 0.25})
    assert model.bert.embeddings.dropout.p == 0.25
    with pytest.raises(ModelError, match="BertConfig has no key hiden_dropout"):
        load_encoder(name, "sigmoid", 32, {"hiden_dropout": 0.25})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"num_labels": 3}, "num_labels is not a setting of the encoder. Remove it"),
        ({"problem_type": "regression"}, "problem_type is not a setting"),
        ({"output_hidden_states": True}, "output_hidden_states is not a setting"),
        ({"hidden_dropout_prob": "much"}, "hidden_dropout_prob"),
    ],
)
def test_a_value_that_cannot_be_overridden_is_refused(saved, overrides, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_encoder(str(saved[2]), "sigmoid", 32, overrides)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_not_initialized_at_random(saved):
    model, _, folder = saved
    model.bert.pooler = None
    model.bert.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    save_file({f"module.{name}": value for name, value in weights.items()}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="37 weights of the encoder are missing"):
        load_encoder(str(folder), "sigmoid", 32)
    with pytest.raises(ModelError, match=r"16 weights of the encoder are missing, such as bert.encoder.layer.2"):
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        load_encoder(str(folder), "sigmoid", 32, {"num_hidden_layers": 3})


def test_weights_of_another_encoder_are_refused(saved):
    path = saved[2] / "model.safetensors"
    extra = {"bert.encoder.layer.7.output.dense.bias": torch.zeros(32), "cls.bias": torch.zeros(2)}
    save_file({**load_file(path), **extra}, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights do not belong to BertForSequenceClassification.*layer.7"):
        load_encoder(str(saved[2]), "sigmoid", 32)


def test_the_number_of_layers_can_be_reduced(saved):
    model, _ = load_encoder(str(saved[2]), "sigmoid", 32, {"num_hidden_layers": 1})
    assert len(model.bert.encoder.layer) == 1


def test_a_head_with_other_labels_is_replaced(saved, caplog):
    model, _, folder = saved
    other = BertForSequenceClassification(BertConfig.from_pretrained(folder, num_labels=5))
    other.bert.load_state_dict(model.bert.state_dict())
    other.save_pretrained(folder)
    with caplog.at_level("INFO", logger="hf_rumor"):
        reloaded, _ = load_encoder(str(folder), "sigmoid", 32)
    assert reloaded.config.id2label == {0: "non-rumor", 1: "rumor"}
    assert torch.equal(reloaded.bert.pooler.dense.weight, model.bert.pooler.dense.weight)
    assert "a new one is trained" in caplog.text
    with pytest.raises(ModelError, match=r"the shape of .* does not match config.json"):
        load_encoder(str(folder), "sigmoid", 32, {"intermediate_size": 32})


def test_the_positions_of_roberta_start_after_that_of_padding(saved):
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = RobertaConfig(vocab_size=len(saved[1]), max_position_embeddings=34, pad_token_id=1, **sizes)
    RobertaModel(config).save_pretrained(saved[2])
    assert load_encoder(str(saved[2]), "sigmoid", 32)[1].model_max_length == 32
    for max_length in (33, 34):
        with pytest.raises(ModelError, match=r"accepts at most 32 tokens. Lower it"):
            load_encoder(str(saved[2]), "sigmoid", max_length)


def test_only_the_token_embeddings_are_frozen(saved):
    model, _, _ = saved
    freeze_embeddings(model)
    frozen = [name for name, value in model.named_parameters() if not value.requires_grad]
    assert frozen == ["bert.embeddings.word_embeddings.weight"]


def test_a_maximum_length_above_the_limit_of_the_encoder_is_refused(saved):
    assert load_encoder(str(saved[2]), "sigmoid", 256)[1].model_max_length == 256  # more than it was trained with
    with pytest.raises(ModelError, match=r"--max_length 257: .* accepts at most 256 tokens"):
        load_encoder(str(saved[2]), "sigmoid", 257)


def test_a_folder_without_a_tokenizer_is_refused(saved):
    for path in saved[2].glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match="the tokenizer has no vocabulary"):
        load_encoder(str(saved[2]), "sigmoid", 32)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [("is_fast", False, "is not a fast tokenizer"), ("pad_token_id", None, "no padding token")],
)
def test_an_unusable_tokenizer_is_refused(attribute, value, message):
    members = {"__len__": lambda self: 9, "all_special_ids": [], "is_fast": True, "pad_token_id": 0, attribute: value}
    tokenizer = type("Tokenizer", (), members)()
    with pytest.raises(ModelError, match=message):
        check_tokenizer("x", tokenizer)


def test_if_the_download_fails_auto_is_mini(monkeypatch, caplog):
    def refuse(name, allow_patterns):
        raise OSError("503 Service Unavailable")

    monkeypatch.setattr(encoders, "is_cached", lambda name, *files: False)
    monkeypatch.setattr(encoders, "is_hub_reachable", lambda: True)
    monkeypatch.setattr(encoders, "snapshot_download", refuse)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert resolve_model("auto") == "mini"
    assert "503 Service Unavailable" in caplog.text


@pytest.mark.parametrize(
    ("name", "message"),
    [(None, "not an encoder with a tokenizer"), ("./nowhere", "not a folder"), ("some/model", "is unreachable")],
)
def test_a_model_that_does_not_exist_is_refused(tmp_path, name, message):
    with pytest.raises(ModelError, match=message):
        load_encoder(name or str(tmp_path), "sigmoid", 32)


def test_pickled_weights_are_refused(saved):
    model, _, folder = saved
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model.bin is not loaded.*convert it.* import AutoModel as M"):
        load_encoder(str(folder), "sigmoid", 32)


@pytest.mark.parametrize(
    ("cached", "hub", "choice"),
    [(True, False, encoders.AUTO_MODEL), (False, True, encoders.AUTO_MODEL), (False, False, "mini")],
)
def test_auto_is_looked_up_in_the_cache_then_on_the_hub_else_it_is_mini(monkeypatch, caplog, cached, hub, choice):
    monkeypatch.setattr(encoders, "is_cached", lambda name, *files: cached)
    monkeypatch.setattr(encoders, "is_hub_reachable", lambda: hub)
    monkeypatch.setattr(encoders, "snapshot_download", lambda name, allow_patterns: name)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert resolve_model("auto") == choice
    assert f"model: {choice} (auto: " in caplog.text
    assert resolve_model("someone/some-model") == "someone/some-model"


LOAD_UNKNOWN = """
from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import load_encoder
try:
    load_encoder("someone/no-such-model", "sigmoid", 32)
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "the Hub has no model of this name"),
        (403, {"X-Error-Code": "GatedRepo"}, "the Hub refused access"),
    ],
)
def test_an_error_of_the_hub_is_reported_as_such(tmp_path, status, headers, message):
    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_OFFLINE": "0"}
        environment = os.environ | settings | {"HF_HOME": str(tmp_path)}
        command = [sys.executable, "-c", LOAD_UNKNOWN]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=200)
        server.shutdown()
    assert message in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.fixture(scope="module")
def mini():
    """Return the bundled encoder as a masked language model, and its tokenizer."""
    model = AutoModelForMaskedLM.from_pretrained(MINI_FOLDER, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(MINI_FOLDER)


# Written before the first run of this test, in which six of the eight were right: docs/log/encoder.md#mask-filling
MASKED = {
    "房间很干净，服务员也很[MASK]。": "热情 好 客气 友好 不错 周到 到位 礼貌",
    "这台空调的[MASK]太大了，晚上睡不着。": "声音 噪音 噪声",
    "明天有[MASK]，出门请带伞。": "雨 大雨 小雨 暴雨 雷阵雨",
    "昨天下午发生了一起交通[MASK]。": "事故",
    "孩子很喜欢看这[MASK]书。": "本 些 套 部 种 类",
    "收到货的时候包装已经[MASK]了。": "破 破损 坏 损坏 打开 烂",
    "因为天气原因，航班被[MASK]了。": "取消 延误 推迟",
    "价格便宜，质量也[MASK]。": "好 不错 可以 很好 还行 还可以 行",
}


def test_the_bundled_encoder_predicts_chinese_words(mini):
    model, tokenizer = mini
    num_right = 0
    for sentence, words in MASKED.items():
        batch = tokenizer(sentence, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**batch).logits[batch["input_ids"] == tokenizer.mask_token_id][0]
        num_right += bool(set(words.split()) & set(tokenizer.convert_ids_to_tokens(logits.topk(3).indices)))
    assert num_right >= 6


def test_its_tokenizer_normalizes_width_case_and_traditional_characters(mini):
    tokenizer = mini[1]
    assert tokenizer("【轉發】漢語ＡＢＣ１２，真的嗎？").input_ids == tokenizer("【转发】汉语abc12,真的吗?").input_ids
    assert tokenizer.unk_token_id not in tokenizer("[泪][哈哈] 😂😂 http://t.cn/zHsX 2013年 @小明 #地震#").input_ids


def test_its_card_states_license_and_training_texts():
    card = (MINI_FOLDER / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "no post\nfrom CED" in card
    assert (MINI_FOLDER / "model.safetensors").stat().st_size <= 16_000_000


def test_a_classifier_has_its_weights(mini):
    model, tokenizer = load_encoder("mini", "sigmoid", 256)
    layer, loaded = mini[0].bert.encoder.layer[3], model.bert.encoder.layer[3]
    assert torch.equal(loaded.output.dense.weight, layer.output.dense.weight)
    assert (model.config.num_labels, tokenizer.model_max_length) == (2, 256)
