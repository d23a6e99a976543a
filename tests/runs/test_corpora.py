from datasets import Dataset
from hf_rumor.runs.corpora import load_corpus, source_of


def test_texts_with_labels_and_a_dataset_are_the_same_corpus():
    texts, labels = [f"第{n}则：听说停水" for n in range(6)], [0, 1] * 3
    corpus = load_corpus(texts, labels=labels)
    assert corpus.sha256 == load_corpus(Dataset.from_dict({"text": texts, "label": labels})).sha256
    assert source_of(corpus) is None
