"""Claim: the estimated share of rumors halves the error of the share in training, and costs no accuracy without shift.

    python benchmarks/prior.py --runs out0 out1 out2

The runs are folders of `hf-rumor train`. For each share of rumors, samples of 300 test posts are drawn with it, with
replacement, 50 from each run. Prints, for each share: the error of the share in training, and of both estimates; how
often the 95% interval contains the share; and the accuracy before and after the probabilities are adjusted.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hf_rumor.evaluation.prior import Validation, adjust, estimate_prior


SHARES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
NUM_POSTS, NUM_SAMPLES = 300, 50


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", type=Path, required=True)
    runs = [read_run(run) for run in parser.parse_args().runs]
    print("share", "trained", "EM", "recall", "covered", "accuracy", "adjusted", sep=" | ")
    for share in SHARES:
        rows = [row for number, run in enumerate(runs) for row in measure(*run, share, seed=number)]
        print(share, *(f"{value:.3f}" for value in np.mean(rows, axis=0)), sep=" | ")


def read_run(run):
    """Return the probabilities and labels of the test posts, and what is saved of validation posts."""
    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    facts = json.loads((run / "config.json").read_text(encoding="utf-8"))["hf_rumor"]
    probabilities = np.array([line["rumor_probability"] for line in lines])
    labels = np.array([line["label"] == "rumor" for line in lines])
    return probabilities, labels, Validation(**facts["validation"])


def measure(probabilities, labels, validation, share, seed):
    """Yield the columns of the table for each sample."""
    generator = np.random.default_rng(seed)
    rumors, others = np.flatnonzero(labels), np.flatnonzero(~labels)
    for _ in range(NUM_SAMPLES):
        number = round(share * NUM_POSTS)
        drawn = np.concatenate([generator.choice(rumors, number), generator.choice(others, NUM_POSTS - number)])
        prior = estimate_prior(probabilities[drawn], validation)
        adjusted = adjust(probabilities[drawn], prior)
        second = np.nan if prior.second_estimate is None else prior.second_estimate
        errors = [abs(value - share) for value in (validation.share, prior.share, second)]
        is_covered = prior.interval[0] <= share <= prior.interval[1]
        right = [
            np.mean((values >= validation.threshold) == labels[drawn]) for values in (probabilities[drawn], adjusted)
        ]
        yield [*errors, is_covered, *right]


if __name__ == "__main__":
    main()
