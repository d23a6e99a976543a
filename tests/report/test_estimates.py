import xml.etree.ElementTree as ElementTree

from hf_rumor.report.estimates import Estimate, draw_estimates


def test_there_is_a_label_for_each_row_and_room_for_it():
    rows = [Estimate(f"row {number}", 0.8, (0.7, 0.9) if number else None) for number in range(12)]
    few, many = (ElementTree.fromstring(draw_estimates("a", "accuracy", part).svg) for part in (rows[:2], rows))
    labels = [text for text in many.itertext() if text.startswith("row ")]
    assert labels == [row.label for row in rows]
    low, high = (float(root.get("viewBox").split()[3]) for root in (few, many))
    assert high - low > 10 * 15  # points


def test_differences_have_a_row_for_zero():
    svg = draw_estimates("a", "x", [Estimate("b", 2.0, (-1.0, 5.0))], zero="a").svg
    assert [text for text in ElementTree.fromstring(svg).itertext() if text in ("a", "b")] == ["a", "b"]
