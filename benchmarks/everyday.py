"""Claim: nothing that a user waits for every day has become slower since the commit before.

    make bench                                              # sample and mini
    python benchmarks/everyday.py --data_path Rumor_Dataset.zip --model_name_or_path me5-small-zh

Measures, each in a process of its own and as the median of three:

- the start of each verb, up to the end of its --help;
- corpus to Arrow, cold and warm; near-duplicate groups; tokens per second;
- the first step of a training, cold and, with everything in the cache, warm: until its checkpoint is there;
- training and scoring, in posts per second.

Writes build/bench/COMMIT.json, and prints it beside the newest one of another commit there. Ratios above 1 are slower.
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
VERBS = ("", "train", "data export", "evaluate", "describe", "audit", "benchmark", "search", "predict", "explain")
VERBS += ("export", "serve", "push", "data push")

CORPUS = """
import sys, time
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
print({"corpus to Arrow, cold": cold, "corpus to Arrow, warm": warm, "near-duplicate groups": groups,
       "a million tokens": seconds / tokens * 1e6})
"""


def python(*words, cache, timeout=1800):
    """Run Python as a user would; return its output and its seconds."""
    environment = os.environ | {"HF_RUMOR_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=environment, capture_output=True, text=True, timeout=timeout
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, time.perf_counter() - start


def first_step(flags, folder, cache):
    """Return the seconds until the checkpoint of the first step is there; the run is stopped then."""
    words = ["run_rumor.py", *flags, "--output_dir", folder, "--save_strategy", "steps", "--save_steps", "1"]
    words += ["--eval_strategy", "no", "--load_best_model_at_end", "false", "--early_stopping_patience", "0"]
    environment = os.environ | {"HF_RUMOR_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    run = subprocess.Popen(
        [sys.executable, *map(str, words)], cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, text=True
    )
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
    """Return the name of each thing measured, and its seconds."""
    flags = ["--data_path", data, "--model_name_or_path", model]
    found = {}
    for verb in VERBS:
        times = [python("-m", "hf_rumor", *verb.split(), "--help", cache=root)[1] for _ in range(3)]
        found[f"hf-rumor {verb} --help".replace("  ", " ")] = statistics.median(times)
    rounds = [
        json.loads(python("-c", CORPUS, data, model, cache=root / str(n))[0].replace("'", '"')) for n in range(3)
    ]
    found |= {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    found["first step, cold"] = first_step(flags, root / "run", root / "cold")
    found["first step, warm"] = statistics.median(first_step(flags, root / "run", root / "cold") for _ in range(3))
    quick = ["--max_steps", "12", "--output_dir", root / "out", "--report_to", "none"]
    python(CHECKOUT / "run_rumor.py", *flags, *quick, cache=root / "cold")
    report = json.loads((root / "out" / "report.json").read_text(encoding="utf-8"))
    found["training, a thousand posts"] = 1000 / report["train"]["posts_per_second"]
    texts = root / "texts.txt"
    texts.write_text("听说明天全市停水一周，速转！\n今天的晚霞真好看，大家都拍照\n" * 500, encoding="utf-8")
    times = [
        python("-m", "hf_rumor", "predict", root / "out", texts, "--output", root / f"told{n}", cache=root)[1]
        for n in range(3)
    ]
    found["predict, a thousand posts, start included"] = statistics.median(times)
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, default=CHECKOUT / "data" / "sample")
    parser.add_argument("--model_name_or_path", default="mini")
    told = parser.parse_args()
    commit = subprocess.check_output(["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, text=True).strip()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(told.data_path, told.model_name_or_path, Path(folder))
    what = f"{told.data_path.name}, {Path(told.model_name_or_path).name}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    earlier = [
        record
        for path in sorted(RESULTS.glob("*.json"), key=lambda path: path.stat().st_mtime)
        if (record := json.loads(path.read_text(encoding="utf-8")))["what"] == what and record["commit"] != commit
    ]
    record = {"commit": commit, "what": what, "machine": platform.platform(), "seconds": found}
    (RESULTS / f"{commit}-{told.data_path.stem}.json").write_text(
        json.dumps(record, indent=2) + "\n", encoding="utf-8"
    )
    before = earlier[-1] if earlier else {"commit": "none", "seconds": {}}
    print(f"{what}; {platform.platform()}, {os.cpu_count()} cores; {commit} against {before['commit']}")
    print("| what | seconds | before | ratio |\n|---|---|---|---|")
    for name, seconds in found.items():
        old = before["seconds"].get(name)
        print(f"| {name} | {seconds:.2f} | " + (f"{old:.2f} | {seconds / old:.2f} |" if old else "| |"))


if __name__ == "__main__":
    main()
