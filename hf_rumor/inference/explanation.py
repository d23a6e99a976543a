"""An explanation (the weight of each word) as a record, as text for a terminal, and as an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.inference.chinese import translator
from hf_rumor.inference.classifier import Prediction
from hf_rumor.models.facts import Facts
from hf_rumor.util.translation import Language


COMPLETE = 0.05  # share of the explained log-odds that may be missing
FAINT = 0.1  # log-odds; a smaller weight is not noticeable
NUM_STRONGEST = 8  # words that are listed with their weights


@dataclass(frozen=True)
class Piece:
    """A token or word of a text. The weights of a text add up to `log_odds - log_odds_without`."""

    text: str
    start: int  # position of its first character
    weight: float  # in log-odds; positive for rumor, negative against it


@dataclass(frozen=True)
class Explanation:
    """A prediction and its explanation."""

    text: str  # as the model reads it
    prediction: Prediction
    tokens: list[Piece]  # in order
    words: list[Piece]  # in order
    log_odds: float  # of rumor
    log_odds_without: float  # of the same text with every token replaced by padding
    error: float  # relative difference between the sum of the weights and `log_odds - log_odds_without`
    num_steps: int  # of the integral

    @property
    def largest(self) -> float:
        """Largest absolute weight of a word, in log-odds."""
        return max((abs(word.weight) for word in self.words), default=0.0)

    @property
    def full_color(self) -> float:
        """Weight with the most intense color."""
        return max(self.largest, FAINT)

    @property
    def is_faint(self) -> bool:
        """Whether no word has a noticeable weight."""
        return self.largest < FAINT

    @property
    def has_failed(self) -> bool:
        """Whether the weights do not add up to the difference that they should explain."""
        return not self.error <= COMPLETE

    def strongest(self, sign: int) -> list[Piece]:
        """Return those of the strongest words that are for rumor (`sign` 1) or against it (-1), strongest first."""
        strongest = sorted(self.words, key=lambda word: -abs(word.weight))[:NUM_STRONGEST]
        return [word for word in strongest if sign * word.weight > 0]


def explanation_text(explanation: Explanation, *, colors: bool) -> str:
    """Return an explanation for a terminal: the text, with its words colored if `colors`, and the strongest words."""
    prediction, text, words = explanation.prediction, explanation.text, explanation.words
    if colors and not explanation.has_failed:
        text = "".join(_colored(word.text, word.weight / explanation.full_color) for word in words)
    lines = [f"{prediction.predicted}, probability of rumor {prediction.rumor_probability:.3f}", text]
    if explanation.has_failed:
        failure = f"its weights do not account for {explanation.error:.0%} of the log-odds and are not shown"
        return "\n".join([*lines, f"  explanation failed: {failure}"])
    for name, sign in {"for rumor": 1, "against": -1}.items():
        listed = "  ".join(f"{word.text} {word.weight:+.2f}" for word in explanation.strongest(sign))
        lines.append(f"  {name:<10}{listed or 'nothing'}")
    if explanation.is_faint:
        lines.append(f"  no word changed the log-odds by as much as {FAINT}")
    lines.append(
        f"  weights: log-odds, from {explanation.log_odds_without:+.2f} (no content) to {explanation.log_odds:+.2f}; "
        f"{explanation.error:.1%} not accounted for, {explanation.num_steps} steps"
    )
    return "\n".join(lines)


def _colored(text: str, share: float) -> str:
    """Return `text` on red for rumor and on blue against it, paler for a smaller weight."""
    if abs(share) < 0.1:
        return text
    pale = round(255 - 155 * abs(share))
    red, green, blue = (255, pale, pale) if share > 0 else (pale, pale, 255)
    return f"\x1b[30;48;2;{red};{green};{blue}m{text}\x1b[0m"


def explanation_page(explanations: Sequence[Explanation], facts: Facts, model: str, language: Language = "en") -> str:
    """Return a self-contained page with each text and its words colored; of a path, only the name is shown."""
    environment = Environment(
        loader=PackageLoader("hf_rumor.inference"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    name = Path(model).resolve().name if Path(model).is_dir() else model
    page: str = environment.get_template("explain.html").render(
        explanations=explanations, facts=facts, model=name, tr=translator(language)
    )
    return page
