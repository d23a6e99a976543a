from hf_rumor.report.section import table


def test_columns_of_numbers_are_marked():
    columns = table("name|#value", []).columns
    assert [(column.title, column.is_number) for column in columns] == [("name", False), ("value", True)]


def test_a_table_of_numbers_may_have_a_column_more_than_one_of_texts_on_a_phone():
    titles = ("a|#b|#c|#d", "a|#b|#c|#d|#e", "a|b|c", "a|#b|#c|d")
    assert [table(title, []).is_wide for title in titles] == [False, True, False, True]
