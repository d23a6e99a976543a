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
    AutoModelForSequenceClassification,
    AutoTokenizer,
    ElectraConfig,
)

from hf_rumor.errors import ModelError
from hf_rumor.models import encoders as models
from hf_rumor.models.encoders import MINI_FOLDER, freeze_embeddings, load_model, resolve_model, save_model


TEXTS = ["今天天气很好 Good", "明天天气不好 good", "今天停水 2 小时", "明天停水 2 小时"]


@pytest.fixture
def saved(tmp_path, tiny_encoder):
    torch.manual_seed(0)
    model, tokenizer = load_model(str(tiny_encoder), "sigmoid", 32)
    save_model(model, tokenizer, tmp_path, {"threshold": 0.5})
    return model, tokenizer, tmp_path


@pytest.mark.parametrize(
    ("activation", "problem_type"),
    [("sigmoid", "multi_label_classification"), ("softmax", "single_label_classification")],
)
def test_labels_and_problem_type_round_trip(tmp_path, tiny_encoder, activation, problem_type):
    model, tokenizer = load_model(str(tiny_encoder), activation, 32)
    save_model(model, tokenizer, tmp_path, {"threshold": 0.5})
    config = AutoModelForSequenceClassification.from_pretrained(tmp_path).config
    assert config.id2label == {0: "non-rumor", 1: "rumor"}
    assert config.label2id == {"non-rumor": 0, "rumor": 1}
    assert config.problem_type == problem_type
    assert config.hf_rumor == {"threshold": 0.5}


def test_a_reloaded_model_says_the_same(saved):
    model, tokenizer, folder = saved
    again = AutoModelForSequenceClassification.from_pretrained(folder)
    batch = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    assert batch["input_ids"].tolist() == tokenizer(TEXTS, padding=True, return_tensors="pt")["input_ids"].tolist()
    with torch.inference_mode():
        assert torch.equal(again(**batch).logits, model.eval()(**batch).logits)


def test_a_saved_folder_holds_no_pickle_and_can_be_read_by_others(saved):
    names = {path.name for path in saved[2].iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert (saved[2] / "model.safetensors").stat().st_mode & 0o044


def test_a_folder_can_be_trained_on(saved):
    model, tokenizer = load_model(str(saved[2]), "softmax", 16)
    assert model.config.problem_type == "single_label_classification"
    assert model.dtype == torch.float32
    assert tokenizer.model_max_length == 16


def test_a_missing_pooler_starts_as_the_identity(saved, caplog):
    encoder = saved[0].bert
    encoder.pooler = None
    encoder.save_pretrained(saved[2])
    with caplog.at_level("INFO", logger="hf_rumor"):
        model, _ = load_model(str(saved[2]), "sigmoid", 32)
    assert torch.equal(model.bert.pooler.dense.weight, torch.eye(32))
    assert not model.bert.pooler.dense.bias.any()
    assert "starts as the identity" in caplog.text


@pytest.fixture
def headless(saved):
    """Return the folder of an encoder without a head, in which tokens differ much, and the encoder."""
    encoder = saved[0].bert.eval()
    encoder.pooler = None
    encoder.save_pretrained(saved[2])
    return saved[2], encoder


@pytest.mark.parametrize("layers", [1, 2])
def test_a_layer_is_added_that_starts_as_the_mean_over_the_tokens(headless, layers):
    folder, encoder = headless
    for norm in (encoder.encoder.layer[1].attention.output.LayerNorm, encoder.encoder.layer[1].output.LayerNorm):
        torch.nn.init.normal_(norm.weight)
    encoder.save_pretrained(folder)
    model, tokenizer = load_model(str(folder), "sigmoid", 32, {"num_hidden_layers": layers}, pooling="mean")
    batch = tokenizer(["今天", *TEXTS], padding=True, return_tensors="pt")
    with torch.inference_mode():
        tokens = encoder(**batch, output_hidden_states=True).hidden_states[layers]  # (5, tokens, 32)
        first = model.eval().bert(**batch).last_hidden_state[:, 0]
    kept = batch["attention_mask"][..., None].float()
    mean = (tokens * kept).sum(dim=1) / kept.sum(dim=1)
    expected = torch.nn.functional.layer_norm(4 * mean + tokens[:, 0], (32,))
    torch.testing.assert_close(first, expected, atol=1e-4, rtol=1e-4)
    assert model.config.num_hidden_layers == layers + 1


def test_the_added_layer_is_kept_and_not_added_again(headless, tmp_path):
    model, tokenizer = load_model(str(headless[0]), "sigmoid", 32, pooling="mean")
    folder = tmp_path / "mean"
    folder.mkdir()
    save_model(model, tokenizer, folder, {"pooling": "mean"})
    again, _ = load_model(str(folder), "sigmoid", 32, pooling="mean")
    assert again.config.num_hidden_layers == 3
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_is_added_can_learn_where_to_look(headless):
    model, tokenizer = load_model(str(headless[0]), "sigmoid", 32, pooling="mean")
    model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits.sum().backward()
    assert model.bert.encoder.layer[-1].attention.self.query.weight.grad.any()


def test_a_mean_in_what_is_no_bert_is_refused():
    with pytest.raises(ModelError, match="expected a BERT, found electra"):
        models._append_layer(ElectraConfig())


@pytest.mark.parametrize("name", ["mini", None])
def test_a_value_of_the_configuration_can_be_overridden_and_a_misspelt_one_is_refused(saved, name):
    name = name or str(saved[2])
    model, _ = load_model(name, "sigmoid", 32, {"hidden_dropout_prob": 0.25})
    assert model.bert.embeddings.dropout.p == 0.25
    with pytest.raises(ModelError, match="expected a key of BertConfig, got hiden_dropout"):
        load_model(name, "sigmoid", 32, {"hiden_dropout": 0.25})


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"num_labels": 3}, "got num_labels; leave it out"),
        ({"problem_type": "regression"}, "got problem_type; leave it out"),
        ({"output_hidden_states": True}, "got output_hidden_states; leave it out"),
        ({"hidden_dropout_prob": "much"}, "hidden_dropout_prob"),
    ],
)
def test_a_value_that_cannot_be_overridden_is_told(saved, overrides, said):
    with pytest.raises(ModelError, match=said) as caught:
        load_model(str(saved[2]), "sigmoid", 32, overrides)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_there_are_not_made_up(headless, caplog):
    folder, _ = headless
    weights = load_file(folder / "model.safetensors")
    save_file({f"module.{name}": value for name, value in weights.items()}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="expected the weights of the encoder, found 37 of them missing"):
        load_model(str(folder), "sigmoid", 32)
    with pytest.raises(ModelError, match=r"found 16 of them missing, bert.encoder.layer.2"):
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        load_model(str(folder), "sigmoid", 32, {"num_hidden_layers": 3})


def test_frozen_embeddings_are_those_of_tokens_alone(saved):
    model, _, _ = saved
    freeze_embeddings(model)
    frozen = [name for name, value in model.named_parameters() if not value.requires_grad]
    assert frozen == ["bert.embeddings.word_embeddings.weight"]


def test_more_tokens_than_the_encoder_takes_are_refused(saved):
    assert load_model(str(saved[2]), "sigmoid", 256)[1].model_max_length == 256  # more than it was trained with
    with pytest.raises(ModelError, match="expected at most the 256 tokens"):
        load_model(str(saved[2]), "sigmoid", 257)


def test_a_folder_without_tokenizer_is_refused_rather_than_trained_on_nothing(saved):
    for path in saved[2].glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match="found one without a vocabulary"):
        load_model(str(saved[2]), "sigmoid", 32)


@pytest.mark.parametrize(
    ("attribute", "value", "said"), [("is_fast", False, "a slow one"), ("pad_token_id", None, "padding")]
)
def test_a_tokenizer_of_no_encoder_is_refused(attribute, value, said):
    members = {"__len__": lambda self: 9, "all_special_ids": [], "is_fast": True, "pad_token_id": 0, attribute: value}
    sized = type("Tokenizer", (), members)()
    with pytest.raises(ModelError, match=said):
        models._check_tokenizer("x", sized)


def test_a_hub_that_does_not_give_the_model_leads_to_mini(monkeypatch, caplog):
    def refuse(name, allow_patterns):
        raise OSError("503 Service Unavailable")

    monkeypatch.setattr(models, "is_cached", lambda name, *files: False)
    monkeypatch.setattr(models, "hub_is_there", lambda: True)
    monkeypatch.setattr(models, "snapshot_download", refuse)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert resolve_model("auto") == "mini"
    assert "503 Service Unavailable" in caplog.text


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c"])
def test_a_folder_that_is_not_there_is_told_as_a_folder(name):
    with pytest.raises(ModelError, match="expected a folder with a model, found none"):
        load_model(name, "sigmoid", 32)


def test_a_name_without_cache_and_network_is_told_at_once():
    with pytest.raises(ModelError, match="nothing in the cache, and no way to"):
        load_model("someone/some-model", "sigmoid", 32)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="expected an encoder with a tokenizer and safetensors weights"):
        load_model(str(tmp_path), "sigmoid", 32)


def test_pickled_weights_are_refused(saved):
    model, _, folder = saved
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        load_model(str(folder), "sigmoid", 32)


def test_a_named_model_is_taken_as_named():
    assert resolve_model("someone/some-model") == "someone/some-model"


@pytest.mark.parametrize(
    ("cached", "hub", "choice"),
    [(True, False, models.AUTO_MODEL), (False, True, models.AUTO_MODEL), (False, False, "mini")],
)
def test_auto_takes_the_cache_then_the_hub_then_mini_and_says_so(monkeypatch, caplog, cached, hub, choice):
    monkeypatch.setattr(models, "is_cached", lambda name, *files: cached)
    monkeypatch.setattr(models, "hub_is_there", lambda: hub)
    monkeypatch.setattr(models, "snapshot_download", lambda name, allow_patterns: name)
    with caplog.at_level("INFO", logger="hf_rumor"):
        assert resolve_model("auto") == choice
    assert f"model: {choice} (auto: " in caplog.text


STRANGER = """
from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import load_model
try:
    load_model("someone/no-such-model", "sigmoid", 32)
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "the Hub knows none of this name"),
        (403, {"X-Error-Code": "GatedRepo"}, "the Hub refused it"),
    ],
)
def test_what_the_hub_answers_is_told_apart_from_a_network_that_is_not_there(tmp_path, status, headers, said):
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
        settings = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "0",
        }
        command = [sys.executable, "-c", STRANGER]
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=True, timeout=200
        )
        server.shutdown()
    assert said in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.fixture(scope="module")
def mini():
    """Return the encoder that comes along, as a filler of masks, and its tokenizer."""
    model = AutoModelForMaskedLM.from_pretrained(MINI_FOLDER, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(MINI_FOLDER)


BLANKS = {  # written before the encoder was asked; it fills six of the eight (docs/LOG.md)
    "房间很干净，服务员也很[MASK]。": "热情 好 客气 友好 不错 周到 到位 礼貌",
    "这台空调的[MASK]太大了，晚上睡不着。": "声音 噪音 噪声",
    "明天有[MASK]，出门请带伞。": "雨 大雨 小雨 暴雨 雷阵雨",
    "昨天下午发生了一起交通[MASK]。": "事故",
    "孩子很喜欢看这[MASK]书。": "本 些 套 部 种 类",
    "收到货的时候包装已经[MASK]了。": "破 破损 坏 损坏 打开 烂",
    "因为天气原因，航班被[MASK]了。": "取消 延误 推迟",
    "价格便宜，质量也[MASK]。": "好 不错 可以 很好 还行 还可以 行",
}


def test_the_encoder_that_comes_along_has_read_chinese(mini):
    model, tokenizer = mini
    filled = []
    for sentence, words in BLANKS.items():
        batch = tokenizer(sentence, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**batch).logits[batch["input_ids"] == tokenizer.mask_token_id][0]
        filled.append(bool(set(words.split()) & set(tokenizer.convert_ids_to_tokens(logits.topk(3).indices))))
    assert sum(filled) >= 6


def test_its_tokenizer_reads_full_width_upper_case_and_traditional_characters_alike(mini):
    tokenizer = mini[1]
    assert tokenizer("【轉發】漢語ＡＢＣ１２，真的嗎？").input_ids == tokenizer("【转发】汉语abc12,真的吗?").input_ids
    assert tokenizer.unk_token_id not in tokenizer("[泪][哈哈] 😂😂 http://t.cn/zHsX 2013年 @小明 #地震#").input_ids


def test_it_ships_with_its_licence_and_says_what_it_read():
    card = (MINI_FOLDER / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "no post of CED" in card
    assert (MINI_FOLDER / "model.safetensors").stat().st_size <= 16_000_000


def test_it_starts_a_classifier():
    model, tokenizer = load_model("mini", "sigmoid", 256)
    kept = AutoModelForMaskedLM.from_pretrained(MINI_FOLDER, dtype=torch.float32)
    assert torch.equal(model.bert.encoder.layer[3].output.dense.weight, kept.bert.encoder.layer[3].output.dense.weight)
    assert (model.config.num_labels, tokenizer.model_max_length) == (2, 256)
