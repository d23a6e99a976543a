"""Which characters and words speak for rumor, and which against it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hf_rumor.corpus.post import Post
from hf_rumor.errors import ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import Prediction, RumorClassifier
from hf_rumor.inference.explanation import COMPLETE, Explanation, Piece
from hf_rumor.labels import rumor_probabilities
from hf_rumor.models.inputs import as_posts, encode, model_text, pad


STEPS = (32, 64, 128, 256)  # of the integral; more as long as it is not complete
DELETED = 0.2  # share of the tokens, in the check of faithfulness


@dataclass(frozen=True)
class Faithfulness:
    """By how much the probability changes if tokens are deleted: means over posts, from 0 to 1."""

    num_posts: int
    top: float
    random: float


class Explainer:
    """Explains a model by integrated gradients (Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365).

    The path leads from the embeddings of a text whose tokens are all padding, between its special tokens, to those of
    the text. Only the embeddings change: positions, and the token that a decoder pools, stay those of the text.

    Args:
        classifier: The model, on torch; it is shared.

    Raises:
        ModelError: The classifier is not on torch in fp32, or captum or jieba (extra `explain`) are not installed.
    """

    def __init__(self, classifier: RumorClassifier) -> None:
        try:
            import jieba
            from captum.attr import IntegratedGradients
        except ImportError as error:
            raise ModelError(f"explain: {error}. Run: pip install captum jieba") from error
        self.model, self.facts, self._tokenizer = classifier.model, classifier.facts, classifier.tokenizer
        if self.model is None or self.model.dtype != torch.float32:
            raise ModelError("explain: needs the torch backend in fp32. Load the model with the defaults.")
        jieba.setLogLevel("WARNING")
        self._segment = jieba.tokenize
        self._gradients = IntegratedGradients(self._log_odds)

    def _log_odds(self, embeddings: Tensor, others: dict[str, Tensor]) -> Tensor:
        """Return the log-odds of rumor. *Shape:* `(batch, tokens, width)` -> `(batch,)`."""
        repeated = {name: values.expand(len(embeddings), -1) for name, values in others.items()}
        logits = self.model(inputs_embeds=embeddings, **repeated).logits
        odds: Tensor = logits[:, 1] if self.facts.activation == "sigmoid" else logits[:, 1] - logits[:, 0]
        return odds

    def explain(self, post: Post | str) -> Explanation:
        """Explain the prediction for a post.

        Raises:
            ModelError: The model does not accept embeddings.
        """
        [post] = as_posts([post])
        encoding, ids, others = self._encode(post)
        is_special = torch.tensor(encoding.special_tokens_mask, device=ids.device).bool()
        reference = torch.where(is_special, ids, torch.full_like(ids, self.facts.tokenizer.padding_id))
        with torch.no_grad():
            embed = self.model.get_input_embeddings()
            start, end = embed(reference), embed(ids)
            try:
                without, log_odds = (float(self._log_odds(embeddings, others)) for embeddings in (start, end))
            except (NotImplementedError, TypeError, ValueError) as error:
                raise ModelError(f"explain: {type(self.model).__name__} takes no embeddings ({error}).") from error
        for num_steps in STEPS:
            weights = self._weights(end, start, others, num_steps)  # (tokens,)
            missing = abs(float(weights.sum()) - (log_odds - without)) / max(abs(log_odds - without), 1e-6)
            if missing <= COMPLETE:
                break
        text = model_text(post)
        tokens = [
            Piece(text[first:last], first, weight)
            for (first, last), weight in zip(encoding.offsets, weights.tolist(), strict=False)
            if last > first
        ]
        words = self._words(text, tokens)
        return Explanation(text, self._predict(log_odds), tokens, words, log_odds, without, missing, num_steps)

    def _encode(self, post: Post) -> tuple[Any, Tensor, dict[str, Tensor]]:
        """Return the tokens of a post, their ids, and what else the model takes. *Shape:* `(1, tokens)` each."""
        [encoding] = encode([post], self._tokenizer, self.facts.inputs)
        arrays = pad([encoding], self.facts.tokenizer, max(1, len(encoding.ids)))
        tensors = {name: torch.from_numpy(values).to(self.model.device) for name, values in arrays.items()}
        return encoding, tensors.pop("input_ids"), tensors

    def _weights(self, end: Tensor, start: Tensor, others: dict[str, Tensor], num_steps: int) -> Tensor:
        """Return the weight of each token. *Shape:* `(tokens,)`."""
        attributed = self._gradients.attribute(
            end, start, additional_forward_args=(others,), n_steps=num_steps, internal_batch_size=32
        )
        weights: Tensor = attributed.sum(dim=-1)[0].detach().cpu()
        return weights

    def _predict(self, log_odds: float) -> Prediction:
        probability = rumor_probabilities([[0.0, log_odds]], "sigmoid")
        [name] = name_decisions(probability, self.facts.threshold, self.facts.abstain_below)
        return Prediction(float(probability[0]), name)

    def _words(self, text: str, tokens: Sequence[Piece]) -> list[Piece]:
        """Return the words of a text; the weight of a token is spread evenly over its characters."""
        by_character = [0.0] * len(text)
        for token in tokens:
            for position in range(token.start, token.start + len(token.text)):
                by_character[position] += token.weight / len(token.text)
        return [Piece(word, start, sum(by_character[start:end])) for word, start, end in self._segment(text)]

    def faithfulness(self, posts: Iterable[Post | str], seed: int = 0) -> Faithfulness:
        """Delete the tokens that weigh most, or as many at random: which changes the probability more?

        As in DeYoung et al., 2020, https://aclanthology.org/2020.acl-main.408 (comprehensiveness). If a post is
        predicted to be a rumor, the tokens that speak most for it are deleted, else those that speak most against it.

        Raises:
            ModelError: No post is long enough.
        """
        generator = random.Random(seed)
        changes: list[tuple[float, float]] = []
        for post in posts:
            explanation = self.explain(post)
            number = round(DELETED * len(explanation.tokens))
            if not number:
                continue
            before = explanation.prediction.rumor_probability
            sign = 1 if before >= self.facts.threshold else -1
            by_weight = sorted(explanation.tokens, key=lambda token: -sign * token.weight)[:number]
            at_random = generator.sample(explanation.tokens, number)
            after = [self._without_tokens(explanation.text, deleted) for deleted in (by_weight, at_random)]
            changes.append((abs(before - after[0]), abs(before - after[1])))
        if not changes:
            raise ModelError("explain: no post has more than two tokens. Use longer ones.")
        top, at_random_mean = (sum(column) / len(changes) for column in zip(*changes, strict=True))
        return Faithfulness(len(changes), top, at_random_mean)

    def _without_tokens(self, text: str, deleted: Sequence[Piece]) -> float:
        """Return the probability of rumor of a text without some of its tokens."""
        places = {place for piece in deleted for place in range(piece.start, piece.start + len(piece.text))}
        kept = "".join(letter for place, letter in enumerate(text) if place not in places)
        _, ids, others = self._encode(Post(text=kept))
        with torch.no_grad():
            log_odds = float(self._log_odds(self.model.get_input_embeddings()(ids), others))
        return float(rumor_probabilities([[0.0, log_odds]], "sigmoid")[0])
