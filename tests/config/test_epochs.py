import pytest

from hf_rumor.config.epochs import FEWEST_STEPS, MOST_EPOCHS, enough_epochs


@pytest.mark.parametrize("steps_per_epoch", [8, 17, 30, 37])
def test_few_steps_an_epoch_want_the_fewest_epochs_that_give_enough(steps_per_epoch):
    epochs = enough_epochs(4, steps_per_epoch)
    assert epochs * steps_per_epoch >= FEWEST_STEPS > (epochs - 1) * steps_per_epoch


def test_enough_steps_leave_the_usual_epochs():
    assert enough_epochs(4, 488) == 4
    assert enough_epochs(2.5, FEWEST_STEPS) == 2.5


def test_epochs_end_somewhere_unless_more_are_usual():
    assert enough_epochs(4, 1) == MOST_EPOCHS
    assert enough_epochs(30, 1) == 30
