import io

from hf_rumor.corpus.formats import open_input, read_rows
from hf_rumor.corpus.formats.input import Row


def test_each_line_is_a_row_with_its_number():
    with open_input(io.BytesIO("停水\n\n晴\r\n".encode()), "lines") as source:
        assert list(read_rows(source)) == [
            Row(1, "line 1", {"text": "停水"}),
            Row(2, "line 2", {}),
            Row(3, "line 3", {"text": "晴"}),
        ]
