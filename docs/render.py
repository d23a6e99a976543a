"""Render the tables of measured numbers in Markdown files from docs/results.json.

    python docs/render.py                                                # rewrite the tables
    python docs/render.py --add mini out --seconds 203 --hardware bf16   # first add the run in the folder `out`

A table stands between `<!-- results:NAME -->` and `<!-- end -->`, where NAME is a function below.
"""

import argparse
import json
import re
import statistics
import subprocess
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "docs" / "results.json"
PAGES = (
    *("README.md", "README_zh.md", "docs/results.md", "benchmarks/README.md"),
    *("hf_rumor/config/recipes/README.md", "hf_rumor/mini/README.md"),
)
MODELS = {
    "me5_small": "`me5_small`",
    "mini": "`mini`",
    "mini_random": "`mini`, random weights",
    "tfidf_svm": "TF-IDF + SVM",
}
SPLITS = ("grouped", "random", "chronological", "every_8th")
TABLE = re.compile(r"(<!-- results:(\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def runs(results):
    """One row per run of a transformer."""
    rows = [
        [
            MODELS[run["model"]],
            run["split"],
            run["seed"],
            number(run["accuracy"]) + interval(run.get("accuracy_interval")),
            number(run.get("macro_f1")),
            number(run.get("roc_auc")),
            points(run.get("gain")) + interval(run.get("gain_interval"), "{:.1f}"),
        ]
        for run in results["runs"]
        if run["model"] in ("me5_small", "mini")
    ]
    head = ["model", "split", "seed", "accuracy [95% CI]", "macro-F1", "ROC-AUC", "over TF-IDF + SVM [95% CI]"]
    return table(head, rows)


def means(results):
    """Mean and standard deviation of the accuracy over the seeds, one row per model, one column per split."""
    measured = {run["model"] for run in results["runs"]}
    rows = [
        [MODELS[model], *(mean(results, model, split) for split in SPLITS)] for model in MODELS if model in measured
    ]
    return table(["model", *SPLITS], rows)


def recipes(results):
    """Accuracy on the grouped split and duration, one row per measured recipe."""
    rows = []
    for model in ("mini", "me5_small"):
        chosen = [run for run in results["runs"] if run["model"] == model and run["split"] == "grouped"]
        if not chosen:
            continue
        minutes = sorted(run["seconds"] / 60 for run in chosen if run["seconds"])  # None: not alone on the machine
        ends = dict.fromkeys(f"{end:.1f}" for end in (*minutes[:1], *minutes[-1:]))
        duration = f"{' to '.join(ends)} min" if ends else "–"
        hardware = results["hardware"][chosen[0]["hardware"]]
        rows.append([MODELS[model], mean(results, model, "grouped"), duration, hardware])
    return table(["recipe", "accuracy", "whole command", "hardware"], rows)


def speed(results):
    """How many times faster than a baseline."""
    rows = [
        [
            row["task"],
            row["baseline"],
            results["hardware"][row["hardware"]],
            "x to ".join(f"{end:.1f}" for end in sorted({*row["ratio"]})) + "x",
        ]
        for row in results["speed"]
    ]
    return table(["task", "baseline", "hardware", "speedup"], rows)


def mean(results, model, split):
    """Return mean and standard deviation over the seeds."""
    values = [run["accuracy"] for run in results["runs"] if (run["model"], run["split"]) == (model, split)]
    if len(values) < 2:
        return number(*values) if values else number(None)
    return f"{number(statistics.mean(values))} ± {number(statistics.stdev(values))}"


def number(value):
    """Return a metric with three digits."""
    return "–" if value is None else f"{value:.3f}"


def points(value):
    """Return a difference in percentage points."""
    return "–" if value is None else f"{value:+.1f} pp"


def interval(ends, form="{:.3f}"):
    """Return an interval in brackets."""
    return f" [{', '.join(form.format(end) for end in ends)}]" if ends else ""


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def render(text, results):
    """Return a page with its tables rendered."""
    tables = {function.__name__: function for function in (runs, means, recipes, speed)}
    return TABLE.sub(lambda match: f"{match[1]}{tables[match[2]](results)}{match[3]}", text)


def add(results, model, folder, seconds, hardware):
    """Add the run in a folder and its baseline, in place of earlier ones of that model, split and seed."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    baseline = report["baseline"]["tfidf_svm"]
    gain = baseline["difference"]["accuracy"]
    commit = subprocess.check_output(["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, text=True).strip()
    key = {"split": report["split"]["name"], "seed": report["split"]["seed"]}
    origin = {"hardware": hardware, "commit": commit}
    measured = {
        **{name: round(report["test"][name], 4) for name in ("accuracy", "macro_f1", "roc_auc")},
        "accuracy_interval": [round(end, 4) for end in report["test"]["intervals"]["accuracy"]],
        "gain": round(100 * gain["difference"], 2),
        "gain_interval": [round(100 * gain[end], 2) for end in ("low", "high")],
        "seconds": seconds,
    }
    for run in (
        {"model": model, **key, **measured, **origin},
        {"model": "tfidf_svm", **key, "accuracy": round(baseline["accuracy"], 4), **origin},
    ):
        place = [run[name] for name in ("model", "split", "seed")]
        results["runs"] = [old for old in results["runs"] if [old["model"], old["split"], old["seed"]] != place]
        results["runs"].append(run)
    results["runs"].sort(key=lambda run: (list(MODELS).index(run["model"]), SPLITS.index(run["split"]), run["seed"]))


def dump(results):
    """Return the results as JSON, one run a line."""
    parts = []
    for name, value in results.items():
        rows = value.items() if isinstance(value, dict) else enumerate(value)
        lines = [
            (f"{json.dumps(key)}: " if isinstance(value, dict) else "") + json.dumps(row, ensure_ascii=False)
            for key, row in rows
        ]
        left, right = "{}" if isinstance(value, dict) else "[]"
        parts.append(f"  {json.dumps(name)}: {left}\n    " + ",\n    ".join(lines) + f"\n  {right}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    """Add a run if asked, and rewrite the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--add", nargs=2, metavar=("MODEL", "FOLDER"), help=f"MODEL: one of {', '.join(MODELS)}")
    parser.add_argument("--seconds", type=int, help="duration of the whole command, if it ran alone")
    parser.add_argument("--hardware", help="a key of `hardware` in results.json")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    if arguments.add:
        add(results, arguments.add[0], Path(arguments.add[1]), arguments.seconds, arguments.hardware)
        RESULTS.write_text(dump(results), encoding="utf-8")
    for page in PAGES:
        path = CHECKOUT / page
        path.write_text(render(path.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
