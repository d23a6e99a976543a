import pytest

from hf_rumor import errors


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_user_error_is_a_rumor_error(kind):
    assert issubclass(kind, errors.RumorError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_one_line_even_if_it_quotes_several(kind):
    assert str(kind("expected this,\n\tgot\r\n  that")) == "expected this, got that"
