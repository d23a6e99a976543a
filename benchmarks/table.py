"""The table of several finished runs, from their `report.json`.

python benchmarks/table.py out0 out1 out2
"""

import json
import sys
from pathlib import Path
from statistics import mean, stdev


METRICS = ("accuracy", "macro_f1", "rumor_f1", "roc_auc", "pr_auc", "ece")


def main(folders: list[str]) -> None:
    """Print a Markdown table: a row a run, then mean and standard deviation."""
    reports = [json.loads((Path(folder) / "report.json").read_text(encoding="utf-8")) for folder in folders]
    print("| split | seed | test posts | " + " | ".join(METRICS) + " | 95 % of accuracy | training s | posts/s |")
    print("|---|---|---|" + "---|" * (len(METRICS) + 3))
    for report in reports:
        split, test, train = report["split"], report["test"], report["train"]
        low, high = test["intervals"]["accuracy"]
        values = " | ".join(f"{test[name]:.4f}" for name in METRICS)
        print(
            f"| {split['name']} | {split['seed']} | {test['num_posts']} | {values} | {low:.3f} to {high:.3f} "
            f"| {train['runtime_seconds']:.0f} | {train['posts_per_second']:.1f} |"
        )
    for words, summarise in (("mean", mean), ("standard deviation", stdev))[: len(reports)]:
        values = " | ".join(f"{summarise(report['test'][name] for report in reports):.4f}" for name in METRICS)
        print(f"| {words} | | | {values} | | | |")
    environment = reports[0]["environment"]
    versions = ", ".join(f"{name} {number}" for name, number in environment["versions"].items())
    print(f"\n{environment['device']}, {environment['precision']}, {environment['platform']}; {versions}")


if __name__ == "__main__":
    main(sys.argv[1:])
