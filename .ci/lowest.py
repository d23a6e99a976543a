"""Print constraints.txt with the lowest version that setup.cfg allows for each direct dependency."""

import configparser
import re
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
    for name, version in sorted(lowest().items()):
        print(f"{name}=={version}")
