"""KML and other formats that a GDAL driver reads by itself: the content is proven to be what the name says first.

The drivers look at content, not at names, and some follow references to other files: so nothing is handed to
them whose beginning is not that of the format.
"""

import xml.parsers.expat
from pathlib import Path

from domain.errors import InvalidData
from domain.spatial_file.driver import layers_in, read_layer
from domain.spatial_file.model import FileLayer

_KML_FIELDS = frozenset({
    "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon",
})  # fmt: skip
"""How a landmark is drawn, no attributes of it."""
_REFERENCES = (b"OGRVRTDataSource", b"VRTDataset", b"gdal_", b"GDALG")


def read_kml(path: Path) -> list[FileLayer]:
    """The folders of a KML as layers; longitude and latitude of WGS 84, as the format rules."""
    root = _root(path)
    if root != "kml":
        raise InvalidData(f"“{path.name}”不是 KML：最外层是 <{root[:30]}>，应为 <kml>。请重新导出。")
    return _layers(path, _KML_FIELDS)


def read_mapinfo(path: Path) -> list[FileLayer]:
    """A MapInfo table: .tab with its companions, or .mif with .mid."""
    start = _beginning(path).lstrip().lower()
    if not start.startswith((b"!table", b"version")):
        raise InvalidData(f"“{path.name}”不是 MapInfo 文件（文件头不对）。请重新导出。")
    return _layers(path)


def read_cadastre_exchange(path: Path) -> list[FileLayer]:
    """A Czech cadastral exchange file (VFK)."""
    if not _beginning(path).startswith(b"&H"):
        raise InvalidData(f"“{path.name}”不是 VFK 文件（文件头不对）。请核对后重新提供。")
    return _layers(path)


def _layers(path: Path, skipped: frozenset[str] = frozenset()) -> list[FileLayer]:
    if any(word in _beginning(path) for word in _REFERENCES):
        raise InvalidData(f"“{path.name}”引用别的文件，不接受。请导出为自成一体的文件。")
    found = layers_in(path, path.name)
    if not found:
        raise InvalidData(f"“{path.name}”里没有图层。请确认导出时选定了图层。")
    return [read_layer(path, name, kind, path.name, skipped=skipped) for name, kind in found]


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64 * 1024)


def _root(path: Path) -> str:
    """The local name of the outermost element; the whole file must be well-formed."""
    found: list[str] = []
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: found.append(name) if not found else None
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except xml.parsers.expat.ExpatError as error:
        raise InvalidData(
            f"“{path.name}”第 {error.lineno} 行不是合法的 XML，文件可能被截断。请重新导出。"
        ) from error
    except LookupError as error:
        raise InvalidData(f"“{path.name}”写明的 XML 编码不认识。请另存为 UTF-8 后重新上传。") from error
    return found[0].rpartition(":")[2]
