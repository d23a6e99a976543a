"""The number of epochs, if none is given."""

import math


FEWEST_STEPS = 150
MOST_EPOCHS = 20


def enough_epochs(usual: float, steps_per_epoch: int) -> float:
    """Return the usual number of epochs, or more if these are too few steps.

    On small corpora, fine-tuning fails by too few steps rather than by overfitting (Mosbach et al., 2021,
    https://arxiv.org/abs/2006.04884; Zhang et al., 2021, https://arxiv.org/abs/2006.05987). How the bounds were
    chosen: `docs/decisions/0014-few-posts-more-epochs.md`.

    Args:
        usual: Number of epochs for a large corpus.
        steps_per_epoch: Number of optimizer steps, over all processes, at least 1.
    """
    return max(usual, min(math.ceil(FEWEST_STEPS / steps_per_epoch), MOST_EPOCHS))
