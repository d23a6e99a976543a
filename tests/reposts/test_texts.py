import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer
from tokenizers import Tokenizer

from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.reposts.baselines import count_features
from hf_rumor.reposts.texts import NUM_PAIRS, text_features, text_score


TOKENIZER = Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))
TEXTS = ["昨夜停水", "昨夜停水停水", "晚霞真好看", ""]


def test_features_are_tokens_and_pairs_of_neighbors():
    [first, second, *_] = (features.tolist() for features in text_features(TEXTS, TOKENIZER))
    ids = TOKENIZER.encode(TEXTS[0], add_special_tokens=False).ids
    assert first[: len(ids)] == ids
    assert len(first) == 2 * len(ids) - 1
    assert set(first) < set(second)
    assert max(second) < TOKENIZER.get_vocab_size() + NUM_PAIRS


def test_fitting_and_scoring_compute_the_same_tf_idf():
    features = text_features(TEXTS, TOKENIZER)
    counts = count_features(features, TOKENIZER.get_vocab_size() + NUM_PAIRS)
    fitted = TfidfTransformer(sublinear_tf=True).fit(counts)
    weights = np.random.default_rng(0).normal(size=counts.shape[1]).astype(np.float32)
    scores = [text_score(row, fitted.idf_.astype(np.float32), weights) for row in features]
    assert scores == pytest.approx((fitted.transform(counts) @ weights).tolist(), abs=1e-5)
