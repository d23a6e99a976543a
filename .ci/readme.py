"""Run the Python examples of both READMEs and compare what they print with what the pages show.

Needs the model of `make run` in `out`.
"""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path


CHECKOUT = Path(__file__).parents[1]


def main() -> None:
    """Exit with a message at the first difference."""
    for page in ("README.md", "README_zh.md"):
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", (CHECKOUT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
        examples = [(code, shown) for (language, code), (_, shown) in pairwise(blocks) if language == "python"]
        if not examples:
            sys.exit(f"{page}: no Python example")
        for code, shown in examples:
            command = [sys.executable, "-c", code]
            printed = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout
            if printed != shown:
                sys.exit(f"{page}: the example prints\n{printed}but the page shows\n{shown}")


if __name__ == "__main__":
    main()
