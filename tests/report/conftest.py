import pytest

from hf_rumor.evaluation.early import AtDeadline, Calls, Curve, EarlyDetection, Scores
from hf_rumor.evaluation.intervals import Difference, Differences


NAN, INFINITY = float("nan"), float("inf")
ACCURACIES = {"0": 0.89, "10min": 0.9, "1h": 0.93, "6h": 0.935, "24h": 0.94, "all": 0.945}
CALLS = Calls(
    target_error=0.05,
    confidence=0.85,
    reached=True,
    share_called=0.75,
    error=0.0625,
    median_minutes=20.0,
    num_moments=7,
    early_rate=0.25,
    instability=0.125,
    accuracy=0.875,
    sea=2.5 / 3,
)


def _scores(accuracy):
    intervals = dict.fromkeys(("accuracy", "macro_f1"), (accuracy - 0.02, accuracy + 0.02))
    return Scores(accuracy, accuracy - 0.005, NAN, intervals | {"roc_auc": (NAN, NAN)})


def _at(deadline, accuracy):
    difference = Difference(0.021, -0.004, 0.046)
    return AtDeadline(
        deadline=deadline,
        share_with_reposts=0.0 if deadline == "0" else 0.5,
        model=_scores(accuracy),
        without_denials=_scores(accuracy - 0.03),
        svm=_scores(0.85),
        reposts_only=None if deadline == "0" else _scores(0.8),
        number_only=None if deadline == "0" else _scores(0.55),
        difference=Differences(difference, difference),
    )


@pytest.fixture(scope="session")
def early():
    """Return the scores of a run with `--reposts all`; ROC-AUC is not defined at the deadlines."""
    return EarlyDetection(
        deadline="all",
        num_visible=4321,
        num_bare=1234,
        num_chains=567,
        deadlines=tuple(_at(*item) for item in ACCURACIES.items()),
        calls=CALLS,
        curve=Curve(
            minutes=(0.0, 2.0, 10.0, 60.0, 360.0, 1440.0, INFINITY),
            accuracy=(0.89, 0.89, 0.9, 0.93, 0.935, 0.94, 0.945),
            roc_auc=(0.95, 0.955, 0.96, 0.97, 0.975, 0.98, 0.985),
        ),
    )
