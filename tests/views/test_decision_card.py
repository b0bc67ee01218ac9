"""The card of a decision: what the parameters of its set are called."""

from views import decision_card


def test_parameters_are_told_with_their_unit_in_words_and_their_basis():
    given = {
        "limit_days": {"label": "逾期天数", "value": 60, "unit": "day", "basis": "LAND-038", "default": False},
        "ratio": {"label": "警戒比例", "value": "0.10", "unit": "1", "basis": "LAND-069", "default": False},
        "once": {"label": "只报一份", "value": True, "unit": None, "basis": "LAND-057", "default": False},
    }
    said = decision_card._parameters({"parameters": given})
    assert said == "逾期天数 60 日（LAND-038）；警戒比例 0.10（LAND-069）；只报一份 是（LAND-057）"
