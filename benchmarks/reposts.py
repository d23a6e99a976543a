"""Claim: the model of the reposts is better than stacked linear models that read the same reposts.

    python benchmarks/reposts.py --data_path Rumor_Dataset.zip

Grouped 5-fold cross-validation over the posts that are in no test part of the grouped split with seeds 0, 1 and 2, so
that nothing is chosen on test posts. The logit of the text is that of TF-IDF + SVM, out of fold, in all rows. Prints
accuracy / ROC AUC for each deadline:

text: the text alone;
stacked: with an SVM over character 1- to 4-grams of the reposts, one for each deadline, by a logistic regression that
  is fitted on the out-of-fold scores of the other folds;
model: that of `hf_rumor.reposts`, fitted on the other folds as in a run, an eighth of which are validation posts.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from tokenizers import Tokenizer

from hf_rumor.corpus.arrow import load_corpus, posts_of
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.observed import observe
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.evaluation.baseline import make_tfidf_svm
from hf_rumor.labels import log_odds, sigmoid
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.reposts.fit import Examples, fit_reposts
from hf_rumor.reposts.tokens import read_reposts


DEADLINES = {"10 min": 600, "1 h": 3600, "6 h": 21600, "24 h": 86400, "all": math.inf}


def folds_of(labels, groups, number, seed):
    """Return the training and held-out positions of each fold."""
    folds = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    return list(folds.split(labels, labels, groups))


def out_of_fold_svm(texts, labels, folds):
    """Return the score of each text by an SVM that was fitted on the other folds."""
    scores = np.zeros(len(labels))
    for fit, held_out in folds:
        scores[held_out] = make_tfidf_svm().fit(texts[fit], labels[fit]).decision_function(texts[held_out])
    return scores


def stack(features, labels, folds):
    """Return out-of-fold log-odds of a logistic regression."""
    logits = np.zeros(len(features))
    for fit, held_out in folds:
        logits[held_out] = LogisticRegression().fit(features[fit], labels[fit]).decision_function(features[held_out])
    return logits


def model_probabilities(texts, reposts, labels, groups, folds, text_logits, seed):
    """Return the probability of each post at each deadline, by models that were fitted on the other folds."""
    tokenizer, deadlines = Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json")), list(DEADLINES.values())
    text, probabilities = sigmoid(text_logits), np.zeros((len(deadlines), len(labels)))
    for fit, held_out in folds:
        start = time.monotonic()
        validation = folds_of(labels[fit], groups[fit], 8, seed)[0][1]
        examples = Examples(
            texts[fit], reposts.of_posts(fit), labels[fit], groups[fit], validation, text[fit][validation]
        )
        model = fit_reposts(examples, tokenizer, MINI_FOLDER / "model.safetensors", deadlines, seed)
        for number, deadline in enumerate(deadlines):
            known = model.read_texts(texts[held_out], text[held_out])
            probabilities[number, held_out] = model.probabilities(known, reposts.of_posts(held_out), deadline)
        print(f"a fold after {time.monotonic() - start:.0f} s", flush=True)
    return probabilities


def main():
    """Print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    posts = load_corpus(flags.data_path).posts
    groups = find_near_duplicates(posts["text"][:]).groups
    tests = [split_dataset(posts, "grouped", seed, groups).test for seed in range(3)]
    kept = np.setdiff1d(np.arange(len(posts)), np.concatenate(tests))
    reposts = read_reposts(posts, Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json")))[0].of_posts(kept)
    posts, groups = posts.select(kept), groups[kept]
    labels, texts = np.array(posts["label"][:]), np.array(posts["text"][:], dtype=object)
    folds = folds_of(labels, groups, 5, flags.seed)
    scores = out_of_fold_svm(texts, labels, folds)
    text_logits = LogisticRegression().fit(scores[:, None], labels).decision_function(scores[:, None])

    def show(name, rows):
        cells = [f"{((row > 0) == labels).mean():.3f}/{roc_auc_score(labels, row):.3f}" for row in rows]
        print(name, *cells, sep=" | ", flush=True)

    print(f"{len(labels):,} posts", *DEADLINES, sep=" | ")
    show("text", [text_logits] * len(DEADLINES))
    whole = [
        Post(**{**vars(post), "reposts": tuple(Repost(**repost) for repost in row)})
        for post, row in zip(
            posts_of(posts.select_columns(["text", "posted_at"])[:]), posts["reposts"][:], strict=True
        )
    ]
    stacked = []
    for deadline in DEADLINES.values():
        words = np.array([" ".join(observe(post, deadline).words) for post in whole], dtype=object)
        features = np.column_stack([text_logits, out_of_fold_svm(words, labels, folds)])
        stacked.append(stack(features, labels, folds))
    show("stacked", stacked)
    probabilities = model_probabilities(texts, reposts, labels, groups, folds, text_logits, flags.seed)
    show("model", log_odds(probabilities))


if __name__ == "__main__":
    main()
