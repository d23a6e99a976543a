"""Copy an environment by hard links; print constraints.txt with the lowest allowed versions of direct dependencies.

python .ci/lowest.py .venv build/lowest > build/lowest.txt
"""

import configparser
import os
import re
import shutil
import sys
from pathlib import Path


CHECKOUT = Path(__file__).parents[1]


def lowest() -> dict[str, str]:
    """Return the version of each package, by its canonical name."""
    config = configparser.ConfigParser()
    config.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    required = "\n".join([config["options"]["install_requires"], *config["options.extras_require"].values()])
    versions = re.findall(r"^([\w-]+)==([\w.]+)", (CHECKOUT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    versions += re.findall(r"^([\w-]+)>=([\w.]+)", required, re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in versions}


if __name__ == "__main__":
    source, copy = sys.argv[1:]
    # Other processes may be writing bytecode into the environment.
    shutil.copytree(source, copy, symlinks=True, copy_function=os.link, ignore=shutil.ignore_patterns("__pycache__"))
    for name, version in sorted(lowest().items()):
        print(f"{name}=={version}")
