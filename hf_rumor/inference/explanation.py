"""An explanation: the weight of each word, as a record, as text for a terminal, and as an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_rumor.inference.classifier import Prediction
from hf_rumor.models.facts import Facts


COMPLETE = 0.05  # share of the explained log-odds that may be missing
FAINT = 0.1  # log-odds; if no word weighs as much, this is stated, and none is colored strongly


@dataclass(frozen=True)
class Piece:
    """A piece of a text with its share of the log-odds of rumor.

    Attributes:
        text: Its characters.
        start: Position of the first one.
        weight: Above 0: speaks for rumor; below 0: against it. In log-odds, so that the weights of a text add up to
            its difference from a text without content.
    """

    text: str
    start: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """A prediction and its explanation.

    Attributes:
        text: The text that the model reads.
        prediction: The prediction for it.
        tokens: Its tokens, in order.
        words: Its words, in order; each has the sum of its characters.
        log_odds: Log-odds of rumor of the text.
        log_odds_without: Of the same text with every token replaced by padding: where the weights start from.
        error: By how much the weights miss the difference of the two, as a share of it.
        num_steps: Number of steps of the integral.
    """

    text: str
    prediction: Prediction
    tokens: list[Piece]
    words: list[Piece]
    log_odds: float
    log_odds_without: float
    error: float
    num_steps: int

    @property
    def largest(self) -> float:
        """Largest absolute weight of a word, in log-odds."""
        return max((abs(word.weight) for word in self.words), default=0.0)

    @property
    def full_color(self) -> float:
        """Weight that is shown in full color."""
        return max(self.largest, FAINT)

    @property
    def is_faint(self) -> bool:
        """Whether no word moved the prediction noticeably."""
        return self.largest < FAINT

    @property
    def has_failed(self) -> bool:
        """Whether the weights do not add up to the difference that they explain."""
        return not self.error <= COMPLETE


def explanation_text(explanation: Explanation, *, colors: bool) -> str:
    """Return an explanation for a terminal: the text with its words colored, and the strongest of them.

    Args:
        explanation: Of a post.
        colors: Whether the terminal shows colors; if not, only the list shows the words that weigh most.
    """
    prediction = explanation.prediction
    lines = [
        f"{prediction.predicted}, probability of rumor {prediction.rumor_probability:.3f}",
        explanation.text,
        f"  explanation failed: its weights miss {explanation.error:.0%} of the log-odds, so they are not shown",
    ]
    if explanation.has_failed:
        return "\n".join(lines)
    strongest = sorted(explanation.words, key=lambda word: -abs(word.weight))[:8]
    groups = {
        "for rumor": [f"{word.text} {word.weight:+.2f}" for word in strongest if word.weight > 0],
        "against": [f"{word.text} {word.weight:+.2f}" for word in strongest if word.weight < 0],
    }
    if colors:
        lines[1] = "".join(_colored(word.text, word.weight / explanation.full_color) for word in explanation.words)
    lines[2:] = [
        *(f"  {name:<10}{'  '.join(words) or 'nothing'}" for name, words in groups.items()),
        *([f"  no word changed the log-odds by as much as {FAINT}"] if explanation.is_faint else []),
        f"  weights: log-odds, from {explanation.log_odds_without:+.2f} (no content) to {explanation.log_odds:+.2f}; "
        f"{explanation.error:.1%} of it not accounted for, {explanation.num_steps} steps",
    ]
    return "\n".join(lines)


def _colored(text: str, share: float) -> str:
    """Return `text` on red for rumor and blue against it, the paler the less it weighs."""
    if abs(share) < 0.1:
        return text
    pale = round(255 - 155 * abs(share))
    red, green, blue = (255, pale, pale) if share > 0 else (pale, pale, 255)
    return f"\x1b[30;48;2;{red};{green};{blue}m{text}\x1b[0m"


def explanation_page(explanations: Sequence[Explanation], facts: Facts, model: str) -> str:
    """Return a self-contained page with each text and its words on colors."""
    environment = Environment(
        loader=PackageLoader("hf_rumor.inference"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page: str = environment.get_template("explain.html").render(explanations=explanations, facts=facts, model=model)
    return page
