"""The city's own parameters: sealed by a command, opened at start, refused when they cannot be; never the test ones instead."""

import json
import stat

import pytest

from domain.coordinate_parameters import parse
from domain.errors import InvalidData
from portal import coordinates, startup_checks
from portal.command_line import main
from portal.settings import SettingsError, current_settings, read_settings

TRUE = """
systems:
  - name: 上海城建坐标系
    target_epsg: 4549
    is_demonstration: false
    note: 正式参数
    plane: {east_shift_m: "641234.567", north_shift_m: "3456789.123", rotation_arcsec: "-3.25", scale_ppm: "1.5"}
    bounds: {east_m: ["-75000", "95000"], north_m: ["-75000", "90000"]}
control_points:
  - name: 上海城建坐标系
    is_demonstration: false
    note: 控制点
    points:
      - {name: K1, local: ["0", "0"], national: ["641234.567", "3456789.123"]}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A portal of its own, with a document of parameters to seal."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.delenv("COORDINATE_PARAMETERS_FILE", raising=False)
    (tmp_path / "true.yaml").write_text(TRUE, encoding="utf-8")
    current_settings.cache_clear()
    yield tmp_path
    current_settings.cache_clear()


def settings(place, **others):
    return read_settings({"VAR_DIR": str(place), "COORDINATE_PARAMETERS_FILE": "coordinates.sealed", **others})


def sealed(place):
    assert main(["coordinates", "seal", str(place / "true.yaml")]) == 0
    return place / "coordinates.sealed"


def test_without_a_setting_the_test_parameters_say_that_they_are(place):
    found = coordinates.load(read_settings({"VAR_DIR": str(place)}))
    assert found.is_demonstration and "测试参数" in found.systems["上海城建坐标系"].note


def test_what_was_sealed_is_used_and_shown_to_nobody(place, capsys, monkeypatch):
    path = sealed(place)
    told = capsys.readouterr().out
    assert "正式参数" in told and "1 个控制点，最大残差 0.000 米" in told and "641234" not in told
    assert b"641234" not in path.read_bytes()
    for each in (path, place / "coordinates.key"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    found = coordinates.load(settings(place))
    assert not found.is_demonstration and found.systems["上海城建坐标系"].transformation.east_shift_m == 641234.567
    assert startup_checks.coordinate_parameters(settings(place)) == []
    monkeypatch.setenv("COORDINATE_PARAMETERS_FILE", "coordinates.sealed")
    current_settings.cache_clear()
    assert main(["coordinates", "check"]) == 0
    told = capsys.readouterr().out
    assert "正式参数" in told and "641234" not in told


def wrong_key(place):
    (place / "coordinates.key").write_bytes(b"x" * 32)


def damaged(place):
    path = place / "coordinates.sealed"
    entry = json.loads(path.read_bytes())
    path.write_text(json.dumps(entry | {"content": entry["content"][::-1].lstrip("=")[:-4] + "AAAA"}))


def cut(place):
    path = place / "coordinates.sealed"
    path.write_bytes(path.read_bytes()[:100])


def plain_text(place):
    (place / "coordinates.sealed").write_text(TRUE, encoding="utf-8")


def no_key(place):
    (place / "coordinates.key").unlink()


def no_file(place):
    (place / "coordinates.sealed").unlink()


def open_key(place):
    (place / "coordinates.key").chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (wrong_key, "密钥不对"), (damaged, "损坏|残缺"), (cut, "残缺"), (plain_text, "不是加密文件"), (no_key, "coordinates.key 不存在"),
        (no_file, "coordinates.sealed 不存在"), (open_key, "其他用户可以读取"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_stops_the_start_and_never_becomes_the_test_parameters(place, harm, words):
    sealed(place)
    harm(place)
    with pytest.raises(SettingsError, match=words):
        coordinates.load(settings(place))
    [fault] = startup_checks.coordinate_parameters(settings(place))
    assert "641234" not in fault
    assert not (harm is no_key and (place / "coordinates.key").exists()), "no key is made to open with"


def test_a_document_that_is_not_complete_is_not_sealed(place, capsys):
    (place / "true.yaml").write_text(TRUE.replace("east_shift_m", "east_shift"), encoding="utf-8")
    assert main(["coordinates", "seal", str(place / "true.yaml")]) == 2
    assert "不完整或格式不对" in capsys.readouterr().err and not (place / "coordinates.sealed").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("control_points:", "points:", "缺少 control_points"), ('"641234.567", north', '"abc", north', "格式不对"), ("target_epsg: 4549", "target_epsg: 3857", "格式不对"),
        ('["-75000", "95000"]', '["95000", "-75000"]', "格式不对"), ("    plane:", "    geocentric:", "缺少 shifts_m"),
        ('      - {name: K1, local: ["0", "0"], national: ["641234.567", "3456789.123"]}', "      []", "都要有控制点"),
        ("note: 控制点", "extra: 控制点", "缺少 note"), ("systems:", "systems: [", "格式不对"),
    ],
)  # fmt: skip
def test_faults_of_a_document_are_told_without_its_values(old, new, words):
    assert old in TRUE
    with pytest.raises(InvalidData, match=words) as refused:
        parse(TRUE.replace(old, new, 1))
    assert "641234" not in refused.value.message and refused.value.__cause__ is None
