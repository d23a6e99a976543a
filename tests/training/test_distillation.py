import pytest
import torch
from torch.nn import functional as F

from hf_rumor.training.distillation import UNLABELED, Distillation
from hf_rumor.training.losses import make_loss


BCE = make_loss("bce").function
LOGITS = torch.tensor([[0.3, -1.0], [2.0, 0.5], [-0.7, 0.1]])
LABELS = torch.tensor([0, 1, 1])
TEACHER = torch.tensor([-1.0, 2.0, 0.5])


@pytest.mark.parametrize("name", ["bce", "ce"])
def test_at_temperature_1_the_target_is_the_mean_of_label_and_probability(name):
    function = make_loss(name).function
    probabilities = TEACHER.sigmoid()
    target = 0.7 * F.one_hot(LABELS, 2) + 0.3 * torch.stack([1 - probabilities, probabilities], dim=-1)
    loss = Distillation(weight=0.3, temperature=1.0).loss(function, LOGITS, LABELS, TEACHER)
    torch.testing.assert_close(loss, function(LOGITS, target))


def test_posts_without_a_label_learn_from_the_teacher_only():
    settings = Distillation(weight=0.3, temperature=2.0)
    mixed = settings.loss(BCE, LOGITS, torch.tensor([0, UNLABELED, 1]), TEACHER)
    labeled = settings.loss(BCE, LOGITS[[0, 2]], LABELS[[0, 2]], TEACHER[[0, 2]])
    alone = Distillation(weight=1.0, temperature=2.0).loss(BCE, LOGITS[1:2], LABELS[1:2], TEACHER[1:2])
    torch.testing.assert_close(mixed, (2 * labeled + alone) / 3)


def test_a_student_that_agrees_with_the_teacher_does_not_change():
    logits = torch.stack([-TEACHER, TEACHER], dim=-1).requires_grad_()
    Distillation(weight=1.0, temperature=3.0).loss(BCE, logits, LABELS, TEACHER).backward()
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits), rtol=0, atol=1e-7)


def test_the_loss_is_a_mean_that_adds_up_over_batches():
    settings = Distillation(weight=0.5, temperature=2.0)
    labels = torch.tensor([0, 1, UNLABELED])
    parts = [settings.loss(BCE, LOGITS[i : i + 1], labels[i : i + 1], TEACHER[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(settings.loss(BCE, LOGITS, labels, TEACHER), sum(parts) / 3)
