"""Train a rumor classifier: the same as `hf-rumor train`. The experiment itself is `hf_rumor/runs/train.py`."""

import sys

from hf_rumor.cli.main import main


if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
