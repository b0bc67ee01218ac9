"""The deadline ruler: every day has its mark, labels never run into each other, bad runs are refused."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from views.ruler import KINDS, MOST_TICKS, Run, big_rulers, small_ruler, text_width

RUNS = st.lists(st.builds(Run, st.sampled_from(KINDS), st.integers(0, 90), st.sampled_from(["", "11-18 停", "12-02 到期日期"])), max_size=8)


def test_small_ruler_draws_one_mark_a_day():
    drawn = small_ruler([{"kind": "used", "days": 4}, {"kind": "stop", "days": 5}, {"kind": "left", "days": 6}])
    assert drawn.width == 75
    assert {kind: path.count("M") for kind, path in drawn.paths} == {"used": 4, "stop": 5, "left": 6}


def test_runs_of_one_kind_apart_are_one_path():
    drawn = small_ruler([Run("used", 2), Run("stop", 1), Run("used", 3)])
    assert [kind for kind, _ in drawn.paths] == ["used", "stop"]
    assert dict(drawn.paths)["used"].count("M") == 5


@pytest.mark.parametrize(("days", "marks"), [(MOST_TICKS, MOST_TICKS), (MOST_TICKS + 1, 1)])
def test_long_ruler_is_drawn_solid(days, marks):
    [(_, path)] = small_ruler([Run("used", days)]).paths
    assert path.count("M") == marks


def test_no_days_still_gives_a_ruler():
    assert small_ruler([]).paths == () and small_ruler([Run("used", 0)]).width == 5
    assert all(ruler.segments == () for ruler in big_rulers([]))


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="没有 'paused' 这种日子"):
        small_ruler([{"kind": "paused", "days": 1}])


def test_negative_days_are_refused():
    with pytest.raises(ValueError, match="-1 天"):
        Run("used", -1)


def test_big_ruler_is_drawn_at_both_widths():
    desk, phone = big_rulers([Run("used", 4, "11-12 起算"), Run("stop", 5, "11-18 停"), Run("left", 6, "11-25 续")], "12-02 到期")
    assert (desk.width, phone.width) == (736, 360)
    assert [label.text for label in desk.labels] == ["11-12 起算", "11-18 停", "11-25 续", "12-02 到期"]
    assert len(desk.segments) == len(phone.segments) == 15
    assert all(segment.hatch for segment in desk.segments if segment.kind == "stop")


@given(RUNS)
def test_marks_fill_the_ruler_without_gap(runs):
    for ruler in big_rulers(runs, "到期"):
        places = [(segment.x, segment.x + segment.width) for segment in ruler.segments]
        assert all(abs(left[1] - right[0]) <= 0.2 for left, right in pairwise(places))
        assert not places or (abs(places[0][0] - 4) < 0.1 and abs(places[-1][1] - (ruler.width - 4)) <= 0.2)


@given(RUNS)
def test_labels_stay_on_the_sheet_and_apart(runs):
    for ruler in big_rulers(runs, "12-31 到期"):
        taken = []
        for label in ruler.labels:
            left = label.x - text_width(label.text) if label.anchor == "end" else label.x
            right = left + text_width(label.text)
            assert left >= -0.1 and right <= ruler.width + 0.1
            assert all(y != label.y or right <= other_left or left >= other_right for y, other_left, other_right in taken)
            taken.append((label.y, left, right))


@given(RUNS)
def test_small_marks_stay_inside(runs):
    drawn = small_ruler(runs)
    starts = [float(x) for _, path in drawn.paths for x in re.findall(r"M([\d.]+)", path)]
    assert all(0 <= x < drawn.width for x in starts)
