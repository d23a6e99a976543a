"""Extension of griffe, which reads docstrings for the website: the comments behind the fields of a class describe it.

num_posts: int  # after cleaning
"""

import re
from typing import Any

from griffe import Attribute, Class, Docstring, Extension

from hf_rumor.evaluation.metrics import METRICS


class FieldComments(Extension):
    """Lists the fields of each dataclass, with their comments, behind its docstring."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Add the list, unless the docstring has one."""
        text = cls.docstring.value if cls.docstring else ""
        fields = [member for member in cls.members.values() if isinstance(member, Attribute) and member.annotation]
        if "dataclass" in cls.labels and fields and "Attributes:" not in text:
            lines = [f"    {field.name}: {_meaning(cls, field)}" for field in fields if "property" not in field.labels]
            cls.docstring = Docstring("\n".join([text, "", "Attributes:", *lines]), parent=cls)


def _meaning(cls: Class, field: Attribute) -> str:
    comment = re.search(r"  # (.+)$", field.lines[-1])
    return comment[1] if comment else METRICS.get(field.name, "") if cls.name == "Metrics" else ""
