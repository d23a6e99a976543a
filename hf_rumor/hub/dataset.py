"""A corpus as a dataset repository of the Hub: one Parquet file and a card."""

import io

from huggingface_hub import DatasetCardData

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.catalogue import named_in
from hf_rumor.corpus.findings import describe, without_names
from hf_rumor.hub.contents import Upload, check_private
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.card import CARD_FILE, CED, is_ced
from hf_rumor.report.words import NEAR_DUPLICATE


DATA_FILE = "data/train-00000-of-00001.parquet"  # the Hub's name for the only split of a dataset
# Without authors and reposts, which are about people who did not consent, and ids: those of Weibo name the author.
COLUMNS = ["text", "label", "posted_at", "has_url", "num_reposts"]


def dataset_contents(corpus: Corpus, license_id: str) -> list[Upload]:
    """Return the posts as Parquet, and the card.

    Raises:
        OutputError: A post contains the token of the Hub, or the home folder.
    """
    buffer = io.BytesIO()
    corpus.posts.select_columns(COLUMNS).to_parquet(buffer)
    uploads = [Upload(CARD_FILE, dataset_card(corpus, license_id).encode()), Upload(DATA_FILE, buffer.getvalue())]
    texts = "\n".join(corpus.posts["text"][:]).encode()  # the Parquet file is compressed: it would hide a secret
    check_private([*uploads, Upload(DATA_FILE, texts)])
    return uploads


def dataset_card(corpus: Corpus, license_id: str) -> str:
    """Return the card of a corpus: counts, findings, near-duplicates, columns."""
    labels = corpus.posts["label"][:]
    groups = corpus.near_duplicates.groups
    num_copies = len(groups) - len(set(groups.tolist()))
    metadata = DatasetCardData(
        language="zh",
        license=license_id,
        task_categories=["text-classification"],
        tags=["rumor-detection", "hf_rumor"],
        size_categories=[_size(len(labels))],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": DATA_FILE}]}],
    )
    findings = "".join(f"- {line}\n" for line in describe(without_names(corpus.findings)))
    known = "".join(f"- {one.name}: {one.citation}; license: {one.license}.\n" for one in named_in(corpus.findings))
    source = known or (f"- {CED}.\n" if is_ced(corpus.path) else "")
    return (
        f"---\n{metadata.to_yaml()}\n---\n\n# Chinese microblog posts: rumors and non-rumors\n\n"
        f"- {len(labels):,} posts: {sum(labels):,} rumors and {len(labels) - sum(labels):,} non-rumors; label "
        f"{', '.join(f'{number} is {name}' for number, name in enumerate(LABEL_NAMES))}.\n"
        f"- {num_copies:,} of them have another post as a {NEAR_DUPLICATE}: split the corpus by group, or the test "
        "measures memory.\n"
        f"- SHA-256 of the corpus it was read from: `{corpus.sha256}`.\n{findings}{source}"
        "- All posts are in one split, `train`: how test posts are chosen is part of an experiment.\n"
        "- Authors and reposts are removed.\n\n"
        "```\nhf-rumor train --data_path hub:USER/DATASET\n```\n\n"
        "Columns: `text`; `label`; `posted_at`, in seconds since 1970-01-01 UTC; `has_url`; `num_reposts`.\n"
    )


def _size(num_posts: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if num_posts < limit:
            return name
    return "n>1M"
