"""Claim: at every deadline, the model of text and reposts is better than linear models of the same posts.

    python benchmarks/early.py --data_path Rumor_Dataset.zip --runs out0 out1 out2
    python benchmarks/early.py --runs evaluation0 evaluation1 evaluation2

The runs are folders of `hf-rumor train ... --reposts all` on this corpus. Each is compared on its own test posts,
which were used for nothing else, with

svm: one linear SVM over character 1- to 4-grams of the post and the first 1,500 characters of its reposts;
reposts: the same over the first 6,000 characters of the reposts alone;
stacked: a logistic regression of the scores of an SVM over the post and of `reposts`, fitted on out-of-fold scores.

All are fitted at each deadline, on training and validation posts. Prints accuracy / ROC AUC, the mean over the runs,
and the differences in percentage points with 95% intervals over groups of near-duplicates. Without a corpus, the
folders may be those of `hf-rumor evaluate`; only means and standard deviations of what their reports have are printed.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from tokenizers import Tokenizer

from hf_rumor import RumorClassifier
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.observed import DEADLINES, observe
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.evaluation.intervals import paired_differences
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.report.record import read_report
from hf_rumor.reposts.tokens import read_reposts


def words_of(posts, deadline):
    """Return the words of the visible reposts of each post as one text."""
    texts = []
    for row in posts.select_columns(["posted_at", "reposts"]):
        reposts = tuple(Repost(**repost) for repost in row["reposts"])
        texts.append(" ".join(observe(Post(text="", posted_at=row["posted_at"], reposts=reposts), deadline).words))
    return np.array(texts, dtype=object)


def shortened(texts, length):
    """Return the first characters of each text."""
    return np.array([text[:length] for text in texts], dtype=object)


def count_ngrams(texts):
    """Return the counts of the character 1- to 4-grams of each text, once for all SVMs over them."""
    return CountVectorizer(analyzer="char", ngram_range=(1, 4), dtype=np.float32).fit_transform(texts)


def svm(counts, labels, fit, test):
    """Return the scores of the test posts by the SVM of `make_tfidf_svm`: n-grams of a single post are ignored."""
    rows = counts[fit]
    kept = np.flatnonzero(np.bincount(rows.indices, minlength=counts.shape[1]) >= 2)
    model = make_pipeline(TfidfTransformer(sublinear_tf=True), LinearSVC(random_state=0))
    return model.fit(rows[:, kept], labels[fit]).decision_function(counts[test][:, kept])


def out_of_fold(counts, labels, groups, fit):
    """Return the score of each post by an SVM that was fitted on the posts of the other folds."""
    scores = np.zeros(len(fit))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for train, held_out in folds.split(fit, labels[fit], groups[fit]):
        scores[held_out] = svm(counts, labels, fit[train], fit[held_out])
    return scores


def linear_models(texts, words, labels, groups, fit, test):
    """Return the scores of the test posts by each linear model, 0 as the threshold: name -> one row per deadline."""
    of_texts = count_ngrams(texts)
    text_fit, text_test = out_of_fold(of_texts, labels, groups, fit), svm(of_texts, labels, fit, test)
    rows = {"svm": [text_test], "reposts": [np.zeros(len(test))], "stacked": [text_test]}
    for of_deadline in words:
        rows["svm"].append(svm(count_ngrams(texts + " " + shortened(of_deadline, 1500)), labels, fit, test))
        counts = count_ngrams(shortened(of_deadline, 6000))
        rows["reposts"].append(svm(counts, labels, fit, test))
        features = np.column_stack([text_fit, out_of_fold(counts, labels, groups, fit)])
        stacked = LogisticRegression().fit(features, labels[fit])
        rows["stacked"].append(stacked.decision_function(np.column_stack([text_test, rows["reposts"][-1]])))
    return {name: np.array(scores) for name, scores in rows.items()}


def model_scores(run, posts, reposts, test):
    """Return the probability minus the threshold of the test posts by a finished run at each deadline."""
    classifier = RumorClassifier.from_pretrained(run)
    texts = posts.select(test)["text"][:]
    known = classifier.reposts.read_texts(texts, classifier.text_probabilities(texts))
    read = reposts.of_posts(test)
    deadlines = (0.0, *DEADLINES.values())
    probabilities = [classifier.reposts.probabilities(known, read, deadline) for deadline in deadlines]
    return np.array(probabilities) - classifier.facts.threshold


def main():
    """Print one table for each run, and one for all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path)
    parser.add_argument("--runs", nargs="+", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="Folder that keeps the scores of the linear models.")
    flags = parser.parse_args()
    if flags.data_path is None:
        show_reports(flags.runs)
        return
    posts = load_corpus(flags.data_path).posts
    labels, texts = np.array(posts["label"][:]), np.array(posts["text"][:], dtype=object)
    groups = find_near_duplicates(posts["text"][:]).groups
    reposts, _ = read_reposts(posts, Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json")))
    words = [words_of(posts, deadline) for deadline in DEADLINES.values()]
    splits = [read_report(run / "report.json").split for run in flags.runs]
    scores, of_tests, number_of_run = {}, [], []
    for number, (run, facts) in enumerate(zip(flags.runs, splits, strict=True)):
        split = split_dataset(posts, facts.name, facts.seed or 0, groups)
        file = flags.cache / f"{facts.name}-{facts.seed}.npz" if flags.cache else None
        if file and file.exists():
            found = dict(np.load(file))
        else:
            found = linear_models(texts, words, labels, groups, split.development(), split.test)
            if file:
                np.savez(file, **found)
        found["model"] = model_scores(run, posts, reposts, split.test)
        show(f"{run.name} ({facts.name}, seed {facts.seed})", labels[split.test], found)
        for name, rows in found.items():
            scores.setdefault(name, []).append(rows)
        of_tests.append(split.test)
        number_of_run.append(np.full(len(split.test), number))
    tests, runs = np.concatenate(of_tests), np.concatenate(number_of_run)
    if len(flags.runs) > 1:
        show_reports(flags.runs)
    compare(labels[tests], {name: np.hstack(rows) for name, rows in scores.items()}, groups[tests], runs)


def show_reports(runs):
    """Print mean and standard deviation over the runs of what only their reports have."""
    reports = [read_report(run / "report.json").early for run in runs]
    for name in ("model", "without_denials", "number_only"):
        rows = [[getattr(row, name) for row in report.deadlines] for report in reports]
        columns = [[scores.accuracy for scores in column if scores] for column in zip(*rows, strict=True)]
        cells = [f"{np.mean(column):.3f} ± {np.std(column, ddof=1):.3f}" if column else "" for column in columns]
        print(f"{name}, accuracy", *cells, sep=" | ")
    for name in ("share_called", "error", "median_minutes", "early_rate", "instability", "sea"):
        print(f"calls, {name}", *(f"{getattr(report.calls, name):.3f}" for report in reports), sep=" | ")


def show(title, labels, scores):
    """Print accuracy / ROC AUC of each model at each deadline."""
    print(title, "0", *DEADLINES, sep=" | ")
    for name, rows in scores.items():
        cells = [f"{((row >= 0) == labels).mean():.3f}/{roc_auc_score(labels, row):.3f}" for row in rows]
        print(name, *cells, sep=" | ", flush=True)


def compare(labels, scores, groups, runs):
    """Print means over the runs, and by how much the model is better than each linear model."""
    print("mean over the runs", "0", *DEADLINES, sep=" | ")
    for name, rows in scores.items():
        right = (rows >= 0) == labels
        accuracy = [np.mean([row[runs == run].mean() for run in np.unique(runs)]) for row in right]
        areas = [
            np.mean([roc_auc_score(labels[runs == run], row[runs == run]) for run in np.unique(runs)]) for row in rows
        ]
        print(name, *(f"{one:.3f}/{other:.3f}" for one, other in zip(accuracy, areas, strict=True)), sep=" | ")
    for name in ("svm", "stacked"):
        cells = []
        for ours, theirs in zip(scores["model"], scores[name], strict=True):
            predicted, other = (ours >= 0).astype(np.int64), (theirs >= 0).astype(np.int64)
            gain = paired_differences(labels, predicted, other, groups, runs=runs).accuracy
            cells.append(f"{100 * gain.difference:+.1f} [{100 * gain.low:.1f}, {100 * gain.high:.1f}]")
        print(f"model - {name}", *cells, sep=" | ")


if __name__ == "__main__":
    main()
