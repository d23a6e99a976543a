"""How many epochs a run takes that names none."""

import math


FEWEST_STEPS = 150
MOST_EPOCHS = 20


def enough_epochs(usual: float, steps_per_epoch: int) -> float:
    """Return the usual number of epochs, or more where these are few steps.

    Fine-tuning on few posts fails for want of steps sooner than by learning them by heart (Mosbach et al., 2021,
    https://arxiv.org/abs/2006.04884; Zhang et al., 2021, https://arxiv.org/abs/2006.05987). How the bounds were
    chosen: `docs/decisions/0014-few-posts-more-epochs.md`.

    Args:
        usual: Epochs where there are posts enough.
        steps_per_epoch: Of the optimizer, at least 1.
    """
    return max(usual, min(math.ceil(FEWEST_STEPS / steps_per_epoch), MOST_EPOCHS))
