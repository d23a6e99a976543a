"""Which characters and words speak for rumor, and which against it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from torch import Tensor

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import Prediction, as_trained
from hf_rumor.labels import LABEL_NAMES, rumor_probabilities
from hf_rumor.models.facts import Facts
from hf_rumor.models.trained import load_model


STEPS = (32, 64, 128, 256)  # of the integral; more while it is not complete
COMPLETE = 0.05  # share of the explained log-odds that may be missing
FAINT = 0.1  # log-odds; where no word weighs as much, that is said, and none is coloured strongly
DELETED = 0.2  # share of the tokens, in the check of faithfulness


@dataclass(frozen=True)
class Piece:
    """A piece of a text with its share of the log-odds of rumor.

    Attributes:
        text: As it stands in the text.
        start: Position of its first character.
        weight: Above 0: speaks for rumor; below 0: against it. In log-odds, so that the weights of a text add up to
            its distance from a text without content.
    """

    text: str
    start: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """A prediction, and what it rests on.

    Attributes:
        text: The text.
        prediction: What the model says of it.
        tokens: Its tokens, in order.
        words: Its words, in order; each has the sum of its characters.
        log_odds: Of rumor, of the text.
        log_odds_without: Of the same text with every token replaced by padding: where the weights start from.
        error: By how much the weights miss the difference of the two, as a share of it.
        num_steps: Of the integral.
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
        """Weight of the word that weighs most, in log-odds, whichever way."""
        return max((abs(word.weight) for word in self.words), default=0.0)

    @property
    def full_colour(self) -> float:
        """Weight that a full colour stands for."""
        return max(self.largest, FAINT)

    @property
    def is_faint(self) -> bool:
        """Whether no word moved the prediction noticeably."""
        return self.largest < FAINT


@dataclass(frozen=True)
class Faithfulness:
    """By how much the probability moves if tokens are deleted: means over texts, from 0 to 1."""

    num_texts: int
    top: float
    random: float


class Explainer:
    """Explains a model by integrated gradients (Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365).

    The path leads from a text whose tokens are all padding, between the marks of its beginning and end, to the text.

    Args:
        name: A finished folder, or a model of the Hub.
        revision: Branch, tag or commit of a model of the Hub.

    Raises:
        ModelError: There is no such model, or captum or jieba (extra `explain`) are not installed.
    """

    def __init__(self, name: str, revision: str | None = None) -> None:
        try:
            import jieba
            from captum.attr import LayerIntegratedGradients
        except ImportError as error:
            raise ModelError(
                f"explain: expected captum and jieba, got {error}; pip install 'hf_rumor[explain]'"
            ) from error
        jieba.setLogLevel("WARNING")
        self._segment = jieba.tokenize
        self.model, self.tokenizer, self.facts = load_model(name, revision=revision)
        self._gradients = LayerIntegratedGradients(self._log_odds, self.model.get_input_embeddings())

    def _log_odds(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the log-odds of rumor. *Shape:* `(batch,)`."""
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        odds: Tensor = logits[:, 1] if self.facts.activation == "sigmoid" else logits[:, 1] - logits[:, 0]
        return odds

    def explain(self, text: str) -> Explanation:
        """Explain what the model says of a text, read as it was in training."""
        text = as_trained(text)
        encoded = self._encode(text)
        ids, mask = encoded["input_ids"].to(self.model.device), encoded["attention_mask"].to(self.model.device)
        baseline = self._without(ids, encoded["special_tokens_mask"][0].bool())
        with torch.no_grad():
            log_odds, without = (float(self._log_odds(given, mask)) for given in (ids, baseline))
        for num_steps in STEPS:
            weights = self._weights(ids, baseline, mask, num_steps)  # (tokens,)
            error = abs(float(weights.sum()) - (log_odds - without)) / max(abs(log_odds - without), 1e-6)
            if error <= COMPLETE:
                break
        tokens = [
            Piece(text[start:end], start, weight)
            for (start, end), weight in zip(encoded["offset_mapping"][0].tolist(), weights.tolist(), strict=True)
            if end > start
        ]
        words = self._words(text, tokens)
        return Explanation(text, self._predict(log_odds), tokens, words, log_odds, without, error, num_steps)

    def _encode(self, text: str) -> Any:
        return self.tokenizer(
            text,
            truncation=True,
            max_length=self.facts.max_length,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )

    def _without(self, ids: Tensor, special: Tensor) -> Tensor:
        """Return the ids with padding in place of everything but the special tokens."""
        return torch.where(special.to(ids.device), ids, torch.full_like(ids, self.facts.padding_id))

    def _weights(self, ids: Tensor, baseline: Tensor, mask: Tensor, num_steps: int) -> Tensor:
        attributed = self._gradients.attribute(
            ids, baseline, additional_forward_args=(mask,), n_steps=num_steps, internal_batch_size=32
        )
        weights: Tensor = attributed.sum(dim=-1)[0].detach().cpu()
        return weights

    def _predict(self, log_odds: float) -> Prediction:
        probability = rumor_probabilities([[0.0, log_odds]], "sigmoid")
        [called] = name_decisions(probability, self.facts.threshold, LABEL_NAMES, self.facts.abstain_below)
        return Prediction(float(probability[0]), called)

    def _words(self, text: str, tokens: Sequence[Piece]) -> list[Piece]:
        """Return the words of a text; the weight of a token is spread evenly over its characters."""
        by_character = [0.0] * len(text)
        for token in tokens:
            for position in range(token.start, token.start + len(token.text)):
                by_character[position] += token.weight / len(token.text)
        return [Piece(word, start, sum(by_character[start:end])) for word, start, end in self._segment(text)]

    def faithfulness(self, texts: Iterable[str], seed: int = 0) -> Faithfulness:
        """Delete the tokens that weigh most, or as many at random: which moves the probability more?

        As in DeYoung et al., 2020, https://aclanthology.org/2020.acl-main.408 (comprehensiveness). Of a text that is
        called a rumor those go that speak most for it; of the others those that speak most against it.
        """
        generator = random.Random(seed)
        moves: list[tuple[float, float]] = []
        for text in texts:
            explanation = self.explain(text)
            number = round(DELETED * len(explanation.tokens))
            if not number:
                continue
            sign = 1 if explanation.prediction.rumor_probability >= self.facts.threshold else -1
            by_weight = sorted(range(len(explanation.tokens)), key=lambda n: -sign * explanation.tokens[n].weight)
            at_random = generator.sample(range(len(explanation.tokens)), number)
            before = explanation.prediction.rumor_probability
            after_top, after_random = (
                self._without_tokens(explanation, gone) for gone in (by_weight[:number], at_random)
            )
            moves.append((abs(before - after_top), abs(before - after_random)))
        if not moves:
            raise ModelError("explain: expected texts of more than two tokens, found none; give others")
        top, at_random_mean = (sum(column) / len(moves) for column in zip(*moves, strict=True))
        return Faithfulness(len(moves), top, at_random_mean)

    def _without_tokens(self, explanation: Explanation, gone: Sequence[int]) -> float:
        """Return the probability of rumor of the text without some of its tokens."""
        spans = [
            (explanation.tokens[n].start, explanation.tokens[n].start + len(explanation.tokens[n].text)) for n in gone
        ]
        kept = "".join(
            letter for place, letter in enumerate(explanation.text) if not any(a <= place < b for a, b in spans)
        )
        encoded = self._encode(kept)
        with torch.no_grad():
            log_odds = float(
                self._log_odds(*(encoded[name].to(self.model.device) for name in ("input_ids", "attention_mask")))
            )
        return float(rumor_probabilities([[0.0, log_odds]], "sigmoid")[0])


def to_text(explanation: Explanation, *, colours: bool) -> str:
    """Return an explanation for a terminal: the text with its words coloured, and the strongest of them.

    Args:
        explanation: Of a text.
        colours: Whether the terminal shows colours; else the words stand in the list alone.
    """
    prediction = explanation.prediction
    full = explanation.full_colour
    body = "".join(_coloured(word.text, word.weight / full) if colours else word.text for word in explanation.words)
    strongest = sorted(explanation.words, key=lambda word: -abs(word.weight))[:8]
    told = {
        "for rumor": [word for word in strongest if word.weight > 0],
        "against": [word for word in strongest if word.weight < 0],
    }
    lines = [
        f"{prediction.predicted}, probability of rumor {prediction.rumor_probability:.3f}",
        body,
        *(
            f"  {name:<10}{'  '.join(f'{w.text} {w.weight:+.2f}' for w in words) or 'nothing'}"
            for name, words in told.items()
        ),
        *([f"  no word moved it by as much as {FAINT}"] if explanation.is_faint else []),
        f"  weights: log-odds, from {explanation.log_odds_without:+.2f} (no content) to {explanation.log_odds:+.2f}; "
        f"{explanation.error:.1%} of it not accounted for, {explanation.num_steps} steps",
    ]
    return "\n".join(lines)


def _coloured(text: str, share: float) -> str:
    """Return `text` on red for rumor and blue against it, the paler the less it weighs."""
    if abs(share) < 0.1:
        return text
    pale = round(255 - 155 * abs(share))
    red, green, blue = (255, pale, pale) if share > 0 else (pale, pale, 255)
    return f"\x1b[30;48;2;{red};{green};{blue}m{text}\x1b[0m"


def to_html(explanations: Sequence[Explanation], facts: Facts, model: str) -> str:
    """Return a page that needs nothing else, with each text and its words on colours."""
    environment = Environment(
        loader=PackageLoader("hf_rumor.inference"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page: str = environment.get_template("explain.html").render(explanations=explanations, facts=facts, model=model)
    return page
