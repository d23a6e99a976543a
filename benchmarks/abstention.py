"""How often the bound of `--abstain` holds: resample validation and test posts of finished runs.

    python benchmarks/abstention.py RUN [RUN ...] --data_path CED [--bound 0.05]

The test posts of the runs are divided at random by near-duplicate group, 200 times: on one part the confidence is
chosen, on the other the share of wrong decisions is counted. Prints how often it is within the bound, and the mean
share of posts that get a decision.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.evaluation.abstention import choose_confidence
from hf_rumor.evaluation.decision import confidence
from hf_rumor.labels import LABEL_NAMES, decide


NUM_DIVISIONS = 200
VALIDATION = 0.4  # share of the groups


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="Output folder of a run on the corpus.")
    parser.add_argument("--data_path", required=True)
    parser.add_argument("--bound", type=float, default=0.05)
    arguments = parser.parse_args()

    rows = {}  # of several runs, the last one with a post
    for run in arguments.runs:
        for line in (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows[row["id"]] = (LABEL_NAMES.index(row["label"]), row["rumor_probability"])
    corpus = load_corpus(arguments.data_path)
    group_of = dict(zip(corpus.posts["id"][:], corpus.near_duplicates.groups.tolist(), strict=True))
    groups = np.array([group_of[post_id] for post_id in rows])
    labels, probabilities = np.array([row[0] for row in rows.values()]), np.array([row[1] for row in rows.values()])

    random = np.random.default_rng(0)
    wrong, decided, num_unreached = [], [], 0
    for _ in range(NUM_DIVISIONS):
        chosen = random.random(groups.max() + 1) < VALIDATION
        part, rest = chosen[groups], ~chosen[groups]
        limit = choose_confidence(labels[part], probabilities[part], 0.5, groups[part], arguments.bound)
        if limit is None:
            num_unreached += 1
            continue
        is_decided = confidence(probabilities[rest], 0.5) >= limit
        is_wrong = decide(probabilities[rest], 0.5) != labels[rest]
        wrong.append(float((is_decided & is_wrong).mean()))
        decided.append(float(is_decided.mean()))
    holds = np.array(wrong) <= arguments.bound
    print(
        f"{len(rows):,} posts; bound {arguments.bound:g}: holds in {holds.mean():.1%} of {len(holds)} divisions "
        f"({num_unreached} with too few posts); wrong decisions {np.mean(wrong):.1%}, posts with a decision "
        f"{np.mean(decided):.1%}"
    )


if __name__ == "__main__":
    main()
