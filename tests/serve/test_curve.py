from hf_rumor.reposts.timeline import Moment
from hf_rumor.serve.curve import HEIGHT, WIDTH, draw


def test_the_line_starts_with_the_text_alone_and_ends_with_the_last_repost():
    drawing = draw(0.25, [Moment(60, "真的吗", 0.5, 1.0), Moment(3600, "假的", 1.0, 2.0)])
    points = [tuple(map(float, point.split(","))) for point in drawing.points.split()]
    assert points[0] == (0, 0.75 * HEIGHT)
    assert points[-1] == (WIDTH, 0)
    assert [name for _, name in drawing.ticks] == [60, 600, 3600]


def test_a_repost_within_the_first_second_is_drawn():
    assert draw(0.25, [Moment(0, "假的", 0.5, 1.0)]).points == "0,150 0,150 0,100"
