from hf_rumor.corpus.catalogue import catalogue
from hf_rumor.corpus.findings import DESCRIPTIONS
from hf_rumor.evaluation.baseline import BASELINES, TOO_FEW_POSTS
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.evaluation.slices import ANSWERS, LENGTHS
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.chinese_names import NAMES
from hf_rumor.training.losses import LOSSES


def test_words_from_data_have_a_translation():
    used = {
        *(*METRICS.values(), *BASELINES.values(), TOO_FEW_POSTS, *DESCRIPTIONS.values(), *LABEL_NAMES),
        *(*ANSWERS.values(), *LENGTHS, *(formula for _, _, formula in LOSSES.values() if " " in formula)),
        *(words for known in catalogue() for words in (known.license, *known.defects)),
    }
    assert used - NAMES.keys() == set()
