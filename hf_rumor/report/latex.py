"""A table in LaTeX, for the package booktabs."""

import re

from hf_rumor.report.section import Table


ESCAPES = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "–": "--",
}


def escape(text: str) -> str:
    """Return a text of a table cell for LaTeX; hyphens before numbers become minus signs."""
    escaped = "".join(ESCAPES.get(character, character) for character in text)
    return re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)


def table_latex(table: Table) -> str:
    """Return a `tabular`, with the note as a comment above it."""
    alignment = "".join("r" if column.is_number else "l" for column in table.columns)
    rows = [[column.title for column in table.columns], *table.rows]
    # `{}`: a cell that starts with `[` or `*` would be read as an argument of the line end before it.
    head, *lines = (r"{}" + " & ".join(map(escape, row)) + r" \\" for row in rows)
    comments = [f"% {line}" for line in (r"\usepackage{booktabs}", *table.note.splitlines())]
    begin, end = rf"\begin{{tabular}}{{{alignment}}}", r"\end{tabular}"
    return "\n".join([*comments, begin, r"\toprule", head, r"\midrule", *lines, r"\bottomrule", end]) + "\n"
