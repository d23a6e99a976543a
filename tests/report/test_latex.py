import pytest

from hf_rumor.report.latex import escape, table_latex
from hf_rumor.report.section import table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.900 ± 0.012", r"0.900 $\pm$ 0.012"),
        ("-1.5 pp [-2.7, 0.1]", r"$-$1.5 pp [$-$2.7, 0.1]"),
        ("max-7, 1e-5, 2020-01-02", "max-7, 1e-5, 2020-01-02"),
        ("a_b & 5% #1 $x {y}", r"a\_b \& 5\% \#1 \$x \{y\}"),
        (r"~\^", r"\textasciitilde{}\textbackslash{}\textasciicircum{}"),
        ("< 0.001", r"\textless{} 0.001"),
    ],
)
def test_a_cell_has_no_special_characters_of_latex(text, expected):
    assert escape(text) == expected


def test_a_table_is_a_tabular_with_the_note_as_a_comment():
    text = table_latex(table("model|#accuracy", [("[a]", "0.9"), ("b", "")], "One.\nTwo."))
    assert text.splitlines() == [
        *(r"% \usepackage{booktabs}", "% One.", "% Two."),
        *(r"\begin{tabular}{lr}", r"\toprule", r"{}model & accuracy \\", r"\midrule"),
        *(r"{}[a] & 0.9 \\", r"{}b &  \\", r"\bottomrule", r"\end{tabular}"),
    ]
