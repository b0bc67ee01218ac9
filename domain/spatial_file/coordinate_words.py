"""Which coordinate system a file names, in words, and which accepted one that is.

Understands EPSG codes, WKT of both ages and Esri's spelling (CGCS2000_3_Degree_GK_Zone_40, with or without a code):
a Gauss–Krüger zone is told by its parameters, not by its name. Nothing is guessed from coordinates here except by
`suggest_system`, whose answer is only ever shown.
"""

import re

import pyproj
from pyproj.exceptions import CRSError

from domain.projection import (
    FIRST_ZONE,
    LAST_ZONE,
    STORAGE,
    CoordinateSystem,
    UnknownCrs,
    system_of_srid,
    zone_of_easting,
    zone_system,
)
from domain.spatial_file.model import FileLayer

_DATUM = re.compile(r"CGCS_?2000|CHINA[_ ]?(GEODETIC[_ ]COORDINATE[_ ]SYSTEM[_ ])?2000", re.IGNORECASE)
_CHINA = (73.0, 15.0, 136.0, 54.0)
"""West, south, east, north of what can be a place in China, in degrees."""
_NORTHINGS_M = (1_500_000.0, 6_000_000.0)
_EASTINGS_M = (150_000.0, 850_000.0)
_SHANGHAI_ZONES = (40, 41)


def system_of_words(text: str) -> tuple[CoordinateSystem | None, str]:
    """The accepted system of a WKT or an EPSG text (None if it is none) and the name a person reads ("" if unnamed).

    Drawings and databases mark "no system" with a local or undefined one: that counts as unnamed.
    """
    if not text.strip():
        return None, ""
    try:
        crs = pyproj.CRS.from_user_input(text.strip())
    except CRSError:
        return None, text.strip()[:60]
    if crs.is_engineering or crs.name.lower().startswith(("undefined", "unknown", "unnamed")):
        return None, ""
    system = _accepted(crs)
    return system, system.title if system else _named(crs)


def _accepted(crs: pyproj.CRS) -> CoordinateSystem | None:
    if crs.to_authority() == ("OGC", "CRS84"):
        return CoordinateSystem(4326)
    srid = crs.to_epsg()
    if srid is not None:
        try:
            return system_of_srid(srid)
        except UnknownCrs:
            return None
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    base = flat.source_crs if flat.is_bound else flat
    if _DATUM.search(_datum_of(base)) is None:
        return None
    return STORAGE if base.is_geographic else _zone_of_parameters(base)


def _datum_of(crs: pyproj.CRS) -> str:
    geodetic = crs.geodetic_crs
    return f"{geodetic.name} {geodetic.datum.name if geodetic and geodetic.datum else ''}" if geodetic else ""


def _zone_of_parameters(crs: pyproj.CRS) -> CoordinateSystem | None:
    """The 3-degree zone that the projection's own numbers describe; None for any other projection."""
    operation = crs.coordinate_operation
    if operation is None or not re.search("transverse mercator|gauss", operation.method_name, re.IGNORECASE):
        return None
    found = {each.name.lower(): each.value for each in operation.params}
    meridian, east = _parameter(found, "longitude", "meridian"), _parameter(found, "false easting", "false_easting")
    scale, north = _parameter(found, "scale"), _parameter(found, "false northing", "false_northing")
    if None in (meridian, east) or scale not in (None, 1.0) or north not in (None, 0.0) or meridian % 3:
        return None
    zone = round(meridian / 3)
    if not FIRST_ZONE <= zone <= LAST_ZONE or east not in (500_000.0, zone * 1_000_000 + 500_000.0):
        return None
    return zone_system(zone, east != 500_000.0)


def _parameter(found: dict[str, float], *words: str) -> float | None:
    return next((value for name, value in found.items() if any(word in name for word in words)), None)


def _named(crs: pyproj.CRS) -> str:
    authority = crs.to_authority()
    return f"{crs.name}（{authority[0]}:{authority[1]}）" if authority else crs.name


def suggest_system(layer: FileLayer) -> CoordinateSystem | None:
    """The accepted system that the coordinates of a layer without one look like; a suggestion to be confirmed, no more.

    Longitude and latitude within China suggest EPSG:4490, eastings of eight digits the zone that they begin with.
    Eastings of six digits do not tell their zone: None, except that nothing else is possible.
    """
    found = layer.bounds()
    if layer.system is not None or found is None:
        return None
    west, south, east, north = found
    if _CHINA[0] <= west and east <= _CHINA[2] and _CHINA[1] <= south and north <= _CHINA[3]:
        return STORAGE
    if not _NORTHINGS_M[0] <= south <= north <= _NORTHINGS_M[1]:
        return None
    zones = {zone_of_easting(west), zone_of_easting(east)}
    return zone_system(zones.pop()) if len(zones) == 1 and None not in zones else None


def suggestion_words(layer: FileLayer) -> str:
    """What the coordinates look like, in a sentence; "" where there is nothing to suggest."""
    suggested, found = suggest_system(layer), layer.bounds()
    if suggested is not None:
        return f"坐标数值看起来像{suggested.title}。这只是建议，请核对后选定。"
    if layer.system is not None or found is None:
        return ""
    west, south, east, north = found
    if _NORTHINGS_M[0] <= west <= east <= _NORTHINGS_M[1] and (
        zone_of_easting(south) is not None or _EASTINGS_M[0] <= south <= north <= _EASTINGS_M[1]
    ):
        return "坐标看起来把 X（北）写在了前面，或 X、Y 写反了。请核对坐标顺序。"
    if _CHINA[0] <= south and north <= _CHINA[2] and _CHINA[1] <= west and east <= _CHINA[3]:
        return "坐标看起来把纬度写在了经度前面。请核对坐标顺序。"
    if _NORTHINGS_M[0] <= south <= north <= _NORTHINGS_M[1] and _EASTINGS_M[0] <= west <= east <= _EASTINGS_M[1]:
        zones = "或".join(zone_system(zone, False).title for zone in _SHANGHAI_ZONES)
        return f"坐标像是不带带号的 3 度带坐标，数值本身看不出是哪一带。上海可能是{zones}，请选定。"
    return "坐标数值不像经纬度，也不像 3 度带坐标，可能是地方坐标系。请向提供单位核实。"
