"""Distillation: train on the probabilities of a trained model as well as on the labels."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hf_rumor.labels import LABEL_NAMES
from hf_rumor.training.losses import LossFunction


UNLABELED = -1  # label of a post that only the teacher has read; Trainer counts it, unlike -100
COLUMN = "teacher"  # the logit of rumor by the teacher


@dataclass(frozen=True)
class Distillation:
    """How much is learned from the teacher.

    Attributes:
        weight: Of the loss on the probabilities of the teacher, between 0 and 1. That on the labels has `1 - weight`;
            posts without a label have none.
        temperature: Divides the logits of teacher and student, above 0.
    """

    weight: float
    temperature: float

    def loss(self, function: LossFunction, logits: Tensor, labels: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean loss over a batch (Hinton et al., 2015, https://arxiv.org/abs/1503.02531, Sec. 2).

        Both parts use the loss of the run. The loss on softened probabilities is multiplied by `temperature²`, so that
        its gradient keeps its size.

        Args:
            function: Mean loss of logits and target.
            logits: Of the student. *Shape:* `(batch, 2)`.
            labels: 0, 1 or `UNLABELED`. *Shape:* `(batch,)`.
            teacher: Logits of rumor. *Shape:* `(batch,)`.
        """
        share = torch.sigmoid(teacher / self.temperature)
        softened = torch.stack([1 - share, share], dim=-1)
        is_labeled = labels != UNLABELED
        total = logits.new_zeros(())
        for part, weight in ((is_labeled, self.weight), (~is_labeled, 1.0)):
            size = part.float().mean()
            if part.any():
                imitation = function(logits[part] / self.temperature, softened[part]) * self.temperature**2
                total = total + weight * size * imitation
        if is_labeled.any() and self.weight < 1:
            target = F.one_hot(labels[is_labeled], len(LABEL_NAMES)).to(logits.dtype)
            total = total + (1 - self.weight) * is_labeled.float().mean() * function(logits[is_labeled], target)
        return total
