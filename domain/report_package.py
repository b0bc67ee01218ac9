"""The package that reports a case 报送包: a zip with its manifest, whose bytes depend on its content alone.

    manifest.json      version, business key, kind, case number, and every other file with size and SM3
    layer/extent.*     one zipped-Shapefile layer, unpacked, in national coordinates
    coordinates.txt    the points of the range, one a line: name,ring,longitude,latitude
    approval.json      what was decided
    revocation.json    what was revoked
    documents/…        papers and materials
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import shapely

from domain.geometry import polygons_of
from domain.layer.definition import LayerColumn
from domain.shapefile import write_zipped_shapefile

VERSION = "1"
MANIFEST, COORDINATES, APPROVAL, REVOCATION = "manifest.json", "coordinates.txt", "approval.json", "revocation.json"
LAYER_FOLDER, DOCUMENT_FOLDER = "layer/", "documents/"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Members carry no clock time: a package that is built again is the same package."""
_COLUMNS = (
    LayerColumn("case_number", "BJBH", "办件编号", length=80),
    LayerColumn("project_name", "XMMC", "项目名称", length=200),
    LayerColumn("area_m2", "MJ", "面积（平方米）", type="decimal", length=18, decimals=2),
)


def pack(files: Mapping[str, bytes], business_key: str, kind_code: str, case_number: str) -> bytes:
    """The zip of a package: its manifest first, then its files by name."""
    manifest = {
        "version": VERSION,
        "business_key": business_key,
        "kind": kind_code,
        "case_number": case_number,
        "files": [
            {"name": name, "size": len(files[name]), "sm3": hashlib.new("sm3", files[name]).hexdigest()}
            for name in sorted(files)
        ],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, MANIFEST, document(manifest))
        for name in sorted(files):
            _add(archive, name, files[name])
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _MOMENT)
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, content)


def document(content: Mapping[str, Any]) -> bytes:
    """A JSON file of the package."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1).encode()


def layer_files(extent: shapely.MultiPolygon, case_number: str, project_name: str, area_m2: Any) -> dict[str, bytes]:
    """The Shapefile layer of a range given in EPSG:4490, written in the same national system. Raises InvalidData."""
    values = {"BJBH": case_number, "XMMC": project_name, "MJ": area_m2}
    zipped = write_zipped_shapefile("extent", _COLUMNS, [(extent, values)], encoding="UTF-8")
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return {f"{LAYER_FOLDER}{name}": archive.read(name) for name in archive.namelist()}


def coordinate_file(extent: shapely.MultiPolygon, heading: tuple[str, ...] = ()) -> bytes:
    """The points of a range in EPSG:4490, longitude and latitude in degrees to 1e-9 (0.1 mm); rings are numbered through."""
    lines = [f"# {line}" for line in heading]
    point_no, ring_no = 0, 0
    for part in polygons_of(extent):
        for ring in (part.exterior, *part.interiors):
            ring_no += 1
            for longitude, latitude in list(ring.coords)[:-1]:
                point_no += 1
                lines.append(f"J{point_no},{ring_no},{longitude:.9f},{latitude:.9f}")
    return ("\n".join(lines) + "\n").encode()
