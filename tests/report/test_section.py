from hf_rumor.report.section import table


def test_columns_of_numbers_are_marked():
    columns = table("name|#value", []).columns
    assert [(column.title, column.is_number) for column in columns] == [("name", False), ("value", True)]
