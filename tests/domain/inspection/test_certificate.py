"""Certificates: made again from the package they repeat every number, and a changed one is refused."""

import json
from pathlib import Path

import numpy
import pyogrio
import pytest
import shapely

from domain.errors import InvalidData
from domain.inspection.certificate import read_certificate, seal_of
from portal.command_line import main
from tests.domain.inspection.sample_package import square, supplement


def package(folder: Path, geometries) -> Path:
    """The sample package as a GeoPackage."""
    layer = supplement(geometries).layers[0]
    path = folder / "bh.gpkg"
    path.unlink(missing_ok=True)
    columns = [numpy.array(list(each)) if name == "TBMJ" else numpy.array(list(each), dtype=object) for name, each in layer.columns.items()]
    pyogrio.raw.write(
        path, shapely.to_wkb(layer.geometries), columns, list(layer.columns), layer="BHTB", driver="GPKG", geometry_type="Polygon", crs="EPSG:4490"
    )
    return path


def inspected(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    code = main(["inspect", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_command_tells_every_finding_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = package(tmp_path, [square(0, 0), square(0.5, 0), square(3, 0)])
    code, told = inspected(capsys, str(path), "--scheme", "supplement_package", "--on", "2026-06-01", "--district", "310117")
    assert (code, told["passed"], told["package"], told["scheme"]) == (1, False, "bh.gpkg", "supplement_package")
    overlap = next(each for each in told["findings"] if each["code"] == "TOP-02")
    assert (overlap["layer"], overlap["feature"], overlap["severity"]) == ("BHTB", 2, "error")
    assert overlap["x"] == pytest.approx(121.20075, abs=1e-6)
    assert told["counts"]["TOP-02"] == 1 and told["engines"]["GEOS"] and told["edition"]


def test_certificate_is_made_again_to_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, kept = package(tmp_path, [square(0, 0), square(2, 0)]), tmp_path / "certificate.json"
    _, first = inspected(capsys, str(path), "--scheme", "supplement_package", "--on", "2026-06-01", "--certificate", str(kept))
    written = read_certificate(kept.read_text(encoding="utf-8"))
    assert (written["package"]["sm3"], written["counts"], written["checked"]) == (first["sm3"], first["counts"], {"BHTB": 2})
    _, again = inspected(capsys, str(path), "--certificate", str(kept))
    assert (again["differences"], again["findings"]) == ([], first["findings"])
    other = package(tmp_path, [square(0, 0), square(0, 0)])
    code, changed = inspected(capsys, str(other), "--certificate", str(kept))
    assert code == 1 and {"package", "counts", "findings_digest"} <= set(changed["differences"])


def test_changed_certificate_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, kept = package(tmp_path, [square(0, 0), square(0, 0)]), tmp_path / "certificate.json"
    inspected(capsys, str(path), "--scheme", "supplement_package", "--certificate", str(kept))
    document = json.loads(kept.read_text(encoding="utf-8"))
    assert document["seal"] == seal_of(document) and document["passed"] is False
    kept.write_text(json.dumps(document | {"passed": True}), encoding="utf-8")
    with pytest.raises(InvalidData, match="已被改动"):
        read_certificate(kept.read_text(encoding="utf-8"))
    assert main(["inspect", str(path), "--certificate", str(kept)]) == 2
    assert "已被改动" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [(["no.gpkg", "--scheme", "supplement_package"], "不能读写"), (["bh.gpkg", "--scheme", "nothing"], "没有质检方案 nothing"), (["bh.gpkg"], "未写 --scheme")],
)
def test_what_cannot_be_inspected_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    package(tmp_path, [square(0, 0)])
    assert main(["inspect", str(tmp_path / words[0]), *words[1:]]) == 2
    assert said in capsys.readouterr().err
