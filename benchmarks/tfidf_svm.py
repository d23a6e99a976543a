"""The baseline: character TF-IDF + linear SVM on the splits of `run_rumor.py`, and under grouped cross-validation.

python benchmarks/tfidf_svm.py --data_path data/sample --split_seeds 0 1 2
"""

import argparse
import platform
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.corpus.splits import SPLITS
from hf_rumor.evaluation.baseline import make_tfidf_svm


def main() -> None:
    """Print one line per split, and the cross-validation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, required=True)
    parser.add_argument("--split", choices=SPLITS, default="grouped")
    parser.add_argument("--split_seeds", type=int, nargs="+", default=[0, 1, 2])
    flags = parser.parse_args()
    posts = load_corpus(flags.data_path).posts
    texts, labels = np.array(posts["text"][:], dtype=object), np.array(posts["label"][:])
    groups = find_near_duplicates(texts).groups
    print(f"{flags.data_path}, {len(texts):,} posts; scikit-learn {sklearn.__version__}, {platform.platform()}")
    accuracies = []
    for seed in flags.split_seeds:
        split = split_dataset(posts, flags.split, seed, groups)
        training, test = split.development(), split.test
        predicted = make_tfidf_svm().fit(texts[training], labels[training]).predict(texts[test])
        accuracies.append((predicted == labels[test]).mean())
        macro_f1 = f1_score(labels[test], predicted, average="macro")
        scores = f"accuracy {accuracies[-1]:.3f}, macro-F1 {macro_f1:.3f}"
        print(f"{flags.split}, seed {seed}, {len(test)} test posts: {scores}")
    print(f"mean accuracy {np.mean(accuracies):.3f}, spread {np.std(accuracies):.3f}")
    for seed in flags.split_seeds:
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        predicted = cross_val_predict(make_tfidf_svm(), texts, labels, groups=groups, cv=folds)
        print(f"grouped 5-fold cross-validation, seed {seed}: accuracy {(predicted == labels).mean():.3f}")


if __name__ == "__main__":
    main()
