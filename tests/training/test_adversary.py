import pytest
import torch

from hf_rumor.training.adversary import Adversary


RADIUS = 0.3


def make_batch(posts):
    return {"input_ids": torch.tensor(posts), "labels": torch.tensor([index % 2 for index in range(len(posts))])}


def test_each_post_is_perturbed_by_the_radius_and_the_loss_increases(tiny_model):
    model = tiny_model().train()
    adversary = Adversary(model, RADIUS)
    batch = make_batch([[5, 6, 7], [8, 9, 10]])
    clean = model(**batch).loss
    clean.backward()
    embeddings = []
    with adversary.attacking():
        model.bert.embeddings.word_embeddings.register_forward_hook(lambda *values: embeddings.append(values[-1]))
        attacked = model(**batch).loss
    perturbations = embeddings[0] - model.bert.embeddings.word_embeddings.weight[batch["input_ids"]]
    assert perturbations.norm(dim=(1, 2)).tolist() == pytest.approx([RADIUS, RADIUS], abs=1e-5)
    assert attacked > clean


def test_frozen_embeddings_are_perturbed_too(tiny_model):
    batch, losses = make_batch([[5, 6, 7], [8, 9, 10]]), []
    for frozen in (False, True):
        model = tiny_model().train()
        model.get_input_embeddings().requires_grad_(not frozen)
        adversary = Adversary(model, RADIUS)
        model(**batch).loss.backward()
        with adversary.attacking():
            losses.append(model(**batch).loss.item())
    assert losses[0] == losses[1]


def test_nothing_is_perturbed_after_the_attack_and_in_evaluation(tiny_model):
    model, plain = tiny_model(), tiny_model()
    adversary = Adversary(model, RADIUS)
    batch = make_batch([[5, 6, 7], [8, 9, 10]])
    model.train()(**batch).loss.backward()
    with adversary.attacking():
        model(**batch)
    assert torch.equal(model(**batch).logits, plain(**batch).logits)
    assert torch.equal(model.eval()(**batch).logits, plain.eval()(**batch).logits)
    assert model.state_dict().keys() == plain.state_dict().keys()


def test_an_infinite_or_zero_gradient_gives_no_perturbation(tiny_model):
    model = tiny_model().train()
    adversary = Adversary(model, RADIUS)
    batch = make_batch([[5, 6, 7]])
    for factor in (float("inf"), 0.0):
        (model(**batch).loss * factor).backward()
        with adversary.attacking():
            assert model(**batch).loss.isfinite()


@pytest.mark.parametrize(("batch", "accumulation"), [(5, 2), (4, 3), (1, 10)])
def test_accumulated_adversarial_steps_equal_one_large_step(make_trainer, batch, accumulation):
    after = []
    for size, steps in ((10, 1), (batch, accumulation)):
        settings = {"per_device_train_batch_size": size, "gradient_accumulation_steps": steps, "max_steps": 1}
        trainer = make_trainer(adversarial_radius=RADIUS, **settings)
        trainer.train()
        after.append(torch.cat([value.detach().ravel() for value in trainer.model.parameters()]))
    torch.testing.assert_close(after[1], after[0], atol=1e-6, rtol=1e-5)


def test_the_attack_changes_the_step_and_not_the_mean_loss_in_the_log(make_trainer):
    heads, losses = [], []
    for radius in (0.0, RADIUS):
        trainer = make_trainer(adversarial_radius=radius, max_steps=1, eval_strategy="steps")
        trainer.train()
        heads.append(trainer.model.classifier.weight)
        losses += [entry["mean_loss"] for entry in trainer.state.log_history if "mean_loss" in entry]
    assert not torch.allclose(*heads)
    assert losses[0] == pytest.approx(losses[1])
