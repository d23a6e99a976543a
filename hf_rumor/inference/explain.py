"""Which tokens and words increase the probability of rumor, and which decrease it."""

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


STEPS = (32, 64, 128, 256)  # of the integral; increased until it is complete
DELETED = 0.2  # share of the tokens that the check of faithfulness deletes


@dataclass(frozen=True)
class Faithfulness:
    """Mean change of the probability after deleting tokens, from 0 to 1."""

    num_posts: int
    top: float  # after deleting the most important tokens
    random: float  # after deleting as many random tokens


class Explainer:
    """Explains a model by integrated gradients (Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365).

    The path leads to the embeddings of the text from those of the same text with all but its special tokens replaced
    by padding. Positions, and the token that a decoder pools, do not change along the path.

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
                log_odds_without, log_odds = (float(self._log_odds(point, others)) for point in (start, end))
            except (NotImplementedError, TypeError, ValueError) as reason:
                raise ModelError(
                    f"explain: {type(self.model).__name__} accepts no embeddings ({reason}). Use another model."
                ) from reason
        difference = log_odds - log_odds_without
        for num_steps in STEPS:
            attributed = self._gradients.attribute(
                end, start, additional_forward_args=(others,), n_steps=num_steps, internal_batch_size=32
            )
            weights = attributed.sum(dim=-1)[0].detach().cpu()  # (tokens,)
            error = abs(float(weights.sum()) - difference) / max(abs(difference), 1e-6)
            if error <= COMPLETE:
                break
        text = model_text(post)
        tokens = [
            Piece(text[first:last], first, weight)
            for (first, last), weight in zip(encoding.offsets, weights.tolist(), strict=False)
            if last > first
        ]
        probability = rumor_probabilities([[0.0, log_odds]], "sigmoid")
        [name] = name_decisions(probability, self.facts.threshold, self.facts.abstain_below)
        prediction = Prediction(float(probability[0]), name)
        words = self._words(text, tokens)
        return Explanation(text, prediction, tokens, words, log_odds, log_odds_without, error, num_steps)

    def _encode(self, post: Post) -> tuple[Any, Tensor, dict[str, Tensor]]:
        """Return the tokens of a post, their ids, and what else the model takes. *Shape:* `(1, tokens)` each."""
        [encoding] = encode([post], self._tokenizer, self.facts.inputs)
        arrays = pad([encoding], self.facts.tokenizer, max(1, len(encoding.ids)))
        tensors = {name: torch.from_numpy(values).to(self.model.device) for name, values in arrays.items()}
        return encoding, tensors.pop("input_ids"), tensors

    def _words(self, text: str, tokens: Sequence[Piece]) -> list[Piece]:
        """Return the words of a text; the weight of a token is divided equally among its characters."""
        by_character = [0.0] * len(text)
        for token in tokens:
            for position in range(token.start, token.start + len(token.text)):
                by_character[position] += token.weight / len(token.text)
        return [Piece(word, start, sum(by_character[start:end])) for word, start, end in self._segment(text)]

    def faithfulness(self, posts: Iterable[Post | str]) -> Faithfulness:
        """Delete the most important tokens of each post, or as many random ones, and compare the changes.

        As in DeYoung et al., 2020, https://aclanthology.org/2020.acl-main.408 (comprehensiveness). The most important
        tokens are those that increase the probability of the predicted label most.

        Raises:
            ModelError: No post is long enough.
        """
        generator = random.Random(0)
        changes: list[list[float]] = []
        for post in posts:
            explanation = self.explain(post)
            number = round(DELETED * len(explanation.tokens))
            if not number:
                continue
            before = explanation.prediction.rumor_probability
            sign = 1 if before >= self.facts.threshold else -1
            top = sorted(explanation.tokens, key=lambda token: -sign * token.weight)[:number]
            deletions = (top, generator.sample(explanation.tokens, number))
            changes.append([abs(before - self._without_tokens(explanation.text, tokens)) for tokens in deletions])
        if not changes:
            raise ModelError("explain: no post has more than two tokens. Use longer ones.")
        return Faithfulness(len(changes), *(sum(column) / len(changes) for column in zip(*changes, strict=True)))

    def _without_tokens(self, text: str, deleted: Sequence[Piece]) -> float:
        """Return the probability of rumor of a text without some of its tokens."""
        gaps = {position for piece in deleted for position in range(piece.start, piece.start + len(piece.text))}
        kept = "".join(character for position, character in enumerate(text) if position not in gaps)
        _, ids, others = self._encode(Post(text=kept))
        with torch.no_grad():
            log_odds = float(self._log_odds(self.model.get_input_embeddings()(ids), others))
        return float(rumor_probabilities([[0.0, log_odds]], "sigmoid")[0])
