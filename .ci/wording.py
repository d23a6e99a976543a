"""Check that code and documentation use the words of the field; CONTRIBUTING.md has the rules."""

import re
import sys
from pathlib import Path


CHECKOUT = Path(__file__).parents[1]
FILES = (
    "hf_rumor/**/*.py",
    "hf_rumor/**/*.md",
    "hf_rumor/**/*.html",
    "hf_rumor/**/*.yaml",
    "docs/*.md",
    "docs/howto/*.md",
    "docs/explanation/*.md",
    "*.md",
)
SKIPPED = ("docs/LOG.md", "CHANGELOG.md")  # history
WORDS = {  # pattern -> what to write
    r"\btold\b": "reported, logged, parsed",
    r"\b(?:is|are|be) worth\b": "how far the score can be trusted",
    r"\bcalled? (?:a |every .*)?rumor\b": "predicted to be a rumor",
    r"\bposts? a step\b": "batch size",
    r"\bmet more often\b": "trains for more epochs",
    r"\b(?:goes|go|went) on\b": "continue, resume",
    r"\b(?:built again|made anew|anew)\b": "rebuilt, retrained",
    r"\bto be had\b|\bto be reached\b": "available, reachable",
    r"\border .{0,20}\bround\b": "invert the ranking",
    r"\b(?:left|leaves?|leaving) out\b": "skip, omit",
    r"\bcorrect it\b": "Fix it",
    r"\blets? others in\b": "reachable from other machines",
    r"\bask(?:s|ed)? for a merge\b": "open a pull request",
    r"\bcomes? along\b": "bundled",
    r"\bthe simplest thing\b|\bthe floor\b": "the baseline",
    r"\bmade-up\b|\binvented\b": "synthetic",
    r"\bblanks\b": "spaces, whitespace",
    r"\balike\b|\bof like length\b": "similar, of similar length",
    r"\bhand(?:s|ed)? (?:it |them )?(?:over|to)\b": "pass",
    r"\bof now\b|\bas it was\b|\bby now\b": "current, previous",
    r"\bcan be meant\b|\bcannot be meant\b": "is not valid",
}


def main() -> None:
    """Print each hit; exit with status 1 if there is one."""
    paths = sorted({path for pattern in FILES for path in CHECKOUT.glob(pattern)} - {CHECKOUT / s for s in SKIPPED})
    problems = [
        f"{path.relative_to(CHECKOUT)}:{number}: {match[0]!r}. Write: {advice}."
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for pattern, advice in WORDS.items()
        if (match := re.search(pattern, line, flags=re.IGNORECASE))
    ]
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
