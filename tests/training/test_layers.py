import pytest
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.training.layers import layers_below_head


SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
OWN = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "funnel": {"d_model": 32, "block_sizes": [1, 1], "n_head": 4, "d_head": 8, "d_inner": 64},
    "deberta-v2": {**SIZES, "relative_attention": True, "norm_rel_ebd": "layer_norm", "position_buckets": 8},
    "qwen2": {**SIZES, "num_key_value_heads": 4},
}


# Names of parameters from the head (0 layers below it) down to the embeddings.
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("bert", ["classifier bert.pooler", "bert.encoder.layer.1", "bert.encoder.layer.0", "bert.embeddings"]),
        ("albert", ["classifier albert.pooler", "albert.encoder.albert_layer_groups.0", "albert.embeddings"]),
        ("albert", ["classifier", "albert.encoder.albert_layer_groups", "albert.encoder.embedding_hidden_mapping_in"]),
        ("gpt2", ["score transformer.ln_f", "transformer.h.1", "transformer.h.0", "transformer.wte transformer.wpe"]),
        ("xlnet", ["logits_proj", "transformer.layer.1", "transformer.layer.0", "transformer.word_embedding"]),
        ("qwen2", ["score model.norm", "model.layers.1", "model.layers.0", "model.embed_tokens"]),
        ("llama", ["score model.norm", "model.layers.1", "model.layers.0", "model.embed_tokens"]),
        ("deberta-v2", ["pooler", "deberta.encoder.layer.1", "deberta.encoder.layer.0", "deberta.encoder.rel_emb"]),
        ("deberta-v2", ["classifier", "deberta.encoder.layer.1", "", "deberta.encoder.LayerNorm deberta.embeddings"]),
        ("mpnet", ["classifier", "mpnet.encoder.layer.1", "", "mpnet.encoder.relative_attention_bias"]),
        ("electra", ["classifier", "electra.encoder.layer.1", "", "electra.embeddings_project"]),
        ("distilbert", ["pre_classifier", "distilbert.transformer.layer.1", "", "distilbert.embeddings"]),
        ("modernbert", ["head model.final_norm", "model.layers.1", "model.layers.0", "model.embeddings"]),
        ("funnel", ["classifier", "funnel.encoder.blocks.1.0", "funnel.encoder.blocks.0.0", "funnel.embeddings"]),
    ],
)
def test_each_parameter_is_as_far_below_the_head_as_its_layer(kind, names):
    config = AutoConfig.for_model(kind, vocab_size=90, pad_token_id=0, **OWN.get(kind, SIZES))
    model = AutoModelForSequenceClassification.from_config(config)
    below = layers_below_head(model)
    assert max(below.values()) == len(names) - 1
    for expected, prefixes in enumerate(names):
        for prefix in prefixes.split():
            distances = {below[id(value)] for name, value in model.named_parameters() if name.startswith(prefix)}
            assert distances == {expected}, prefix


def test_layers_are_ordered_by_number_not_by_name():
    config = AutoConfig.for_model("bert", vocab_size=90, **{**SIZES, "num_hidden_layers": 11})
    model = AutoModelForSequenceClassification.from_config(config)
    below = layers_below_head(model)
    assert [below[id(layer.output.dense.weight)] for layer in model.bert.encoder.layer] == list(range(11, 0, -1))
