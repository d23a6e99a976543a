import pytest

from hf_rumor import errors


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_mistake_is_a_rumor_error(kind):
    assert issubclass(kind, errors.RumorError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_one_line_whatever_it_quotes(kind):
    assert str(kind("expected this,\n\tgot\r\n  that")) == "expected this, got that"


def test_a_failed_download_is_a_corpus_that_cannot_be_had():
    assert issubclass(errors.DownloadError, errors.CorpusError)


def test_the_tree_in_the_docstring_names_every_mistake():
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__] == []
