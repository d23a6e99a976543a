"""Claim: no everyday command has become slower since the previous commit.

    make bench                                              # sample and mini
    python benchmarks/everyday.py --data_path Rumor_Dataset.zip --model_name_or_path me5-small-zh

Measures, each as the median of three processes:

- the start of each verb, up to the end of its --help;
- corpus to Arrow, cold and warm; near-duplicate groups; tokens per second;
- the time until the first checkpoint of a training, with an empty cache (cold) and a full one (warm);
- training and scoring, in posts per second.

Writes build/bench/COMMIT.json, and compares it with the newest file of another commit. Ratios above 1 are slower.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


CHECKOUT = Path(__file__).parents[1]
RESULTS = CHECKOUT / "build" / "bench"
RUN_RUMOR = CHECKOUT / "run_rumor.py"
VERBS = ("", "train", "data export", "evaluate", "describe", "audit", "benchmark", "search", "predict", "explain")
VERBS += ("export", "serve", "push", "data push")

CORPUS = """
import json, sys, time
from pathlib import Path
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.models.encoders import load_encoder
start = time.perf_counter(); posts = load_corpus(Path(sys.argv[1])).posts; cold = time.perf_counter() - start
start = time.perf_counter(); posts = load_corpus(Path(sys.argv[1])).posts; warm = time.perf_counter() - start
texts = posts["text"][:]
start = time.perf_counter(); find_near_duplicates(texts); groups = time.perf_counter() - start
_, tokenizer = load_encoder(sys.argv[2], "sigmoid", 256)
start = time.perf_counter(); tokens = sum(map(len, tokenizer(texts)["input_ids"]))
seconds = time.perf_counter() - start
print(json.dumps({"corpus to Arrow, cold": cold, "corpus to Arrow, warm": warm, "near-duplicate groups": groups,
                  "a million tokens": seconds / tokens * 1e6}))
"""


def start_python(*words, cache):
    """Start Python as a user would."""
    environment = os.environ | {"HF_RUMOR_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *map(str, words)], env=environment, stdout=pipe, stderr=pipe, text=True)


def python(*words, cache):
    """Run Python to its end; return its output and its seconds."""
    start = time.perf_counter()
    run = start_python(*words, cache=cache)
    output, errors = run.communicate(timeout=1800)
    if run.returncode:
        sys.exit(errors)
    return output, time.perf_counter() - start


def first_step(flags, folder, cache):
    """Return the seconds until a run has written its first checkpoint; stop the run then."""
    words = [RUN_RUMOR, *flags, "--output_dir", folder, "--save_strategy", "steps", "--save_steps", "1"]
    words += ["--eval_strategy", "no", "--load_best_model_at_end", "false", "--early_stopping_patience", "0"]
    start = time.perf_counter()
    run = start_python(*words, cache=cache)
    while not (folder / "checkpoint-1" / "trainer_state.json").exists():
        if run.poll() is not None:
            sys.exit(run.stderr.read())
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    run.kill()
    run.communicate()
    shutil.rmtree(folder)
    return seconds


def measure(data, model, root):
    """Return the seconds of each measurement by its name."""
    flags = ["--data_path", data, "--model_name_or_path", model]
    seconds = {}
    for verb in VERBS:
        times = [python("-m", "hf_rumor", *verb.split(), "--help", cache=root)[1] for _ in range(3)]
        seconds[f"hf-rumor {verb} --help".replace("  ", " ")] = statistics.median(times)
    rounds = [json.loads(python("-c", CORPUS, data, model, cache=root / str(n))[0]) for n in range(3)]
    seconds |= {name: statistics.median(times[name] for times in rounds) for name in rounds[0]}
    seconds["first step, cold"] = first_step(flags, root / "run", root / "cold")
    seconds["first step, warm"] = statistics.median(first_step(flags, root / "run", root / "cold") for _ in range(3))
    quick = ["--max_steps", "12", "--output_dir", root / "out", "--report_to", "none"]
    python(RUN_RUMOR, *flags, *quick, cache=root / "cold")
    report = json.loads((root / "out" / "report.json").read_text(encoding="utf-8"))
    seconds["training, a thousand posts"] = 1000 / report["train"]["posts_per_second"]
    texts = root / "texts.txt"
    texts.write_text("听说明天全市停水一周，速转！\n今天的晚霞真好看，大家都拍照\n" * 500, encoding="utf-8")
    times = [
        python("-m", "hf_rumor", "predict", root / "out", texts, "--output", root / f"predictions{n}", cache=root)[1]
        for n in range(3)
    ]
    seconds["predict, a thousand posts, start included"] = statistics.median(times)
    return seconds


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, default=CHECKOUT / "data" / "sample")
    parser.add_argument("--model_name_or_path", default="mini")
    arguments = parser.parse_args()
    commit = subprocess.check_output(["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, text=True).strip()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(arguments.data_path, arguments.model_name_or_path, Path(folder))
    what = f"{arguments.data_path.name}, {Path(arguments.model_name_or_path).name}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    earlier = [
        record
        for path in sorted(RESULTS.glob("*.json"), key=lambda path: path.stat().st_mtime)
        if (record := json.loads(path.read_text(encoding="utf-8")))["what"] == what and record["commit"] != commit
    ]
    record = {"commit": commit, "what": what, "machine": platform.platform(), "seconds": measured}
    file = RESULTS / f"{commit}-{arguments.data_path.stem}.json"
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    before = earlier[-1] if earlier else {"commit": "none", "seconds": {}}
    print(f"{what}; {platform.platform()}, {os.cpu_count()} cores; {commit} against {before['commit']}")
    print("| what | seconds | before | ratio |\n|---|---|---|---|")
    for name, seconds in measured.items():
        old = before["seconds"].get(name)
        print(f"| {name} | {seconds:.2f} | " + (f"{old:.2f} | {seconds / old:.2f} |" if old else "| |"))


if __name__ == "__main__":
    main()
