"""CAD drawings: closed lines, hatches and blocks of DXF as features with their extended data; DWG for its geometry.

A drawing layer becomes one layer for each kind of geometry it holds. Arcs, circles and bulges are cut into lines, one
degree of arc at most for each. Texts that stand in a polygon become its label.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ezdxf
import shapely
from ezdxf import recover
from ezdxf.document import Drawing
from ezdxf.entities import DXFEntity, Insert

from domain.errors import InvalidData
from domain.spatial_file.character_set import ACCEPTED, charset_named, detected
from domain.spatial_file.columns import as_column, field_of_values, told_by_values
from domain.spatial_file.drawing_shape import Flat, HasHeight, shape_of, skips
from domain.spatial_file.driver import CURVE_NOTE, HEIGHT_NOTE
from domain.spatial_file.foreign_faults import PARSER_FAULTS
from domain.spatial_file.model import FileLayer

MOST_ENTITIES = 500_000
"""Entities of a drawing with its blocks laid out; blocks in blocks can multiply without end."""
DWG_TIME_LIMIT_S = 120
_DEEPEST_BLOCK = 16
_MOST_XDATA = 60
OWN_APPLICATION = "GUITU"
"""The extended data of drawings that the portal wrote (written_drawing.py)."""
_LEAST_FOREIGN_BYTES = 16
"""Bytes beyond ASCII that it takes to contradict what a drawing says of its encoding."""
_UNICODE_VERSION = "AC1021"
"""From AutoCAD 2007 on, drawings are in UTF-8 whatever their header says."""
_FAMILIES = {"Polygon": "面", "MultiPolygon": "面", "LineString": "线", "MultiLineString": "线", "Point": "点"}
_TYPES = {"面": "Polygon", "线": "LineString", "点": "Point"}
_ALIASES = {"HANDLE": "图元句柄", "ENTITY": "图元类型", "COLOR": "颜色", "BLOCK": "所在图块", "TEXT": "文字"}
_CODEPAGES = {"cp936": "GBK", "gbk": "GBK", "gb18030": "GB18030", "cp950": "Big5", "utf8": "UTF-8", "utf-8": "UTF-8"}
_CONVERT = "import sys, ezdwg; ezdwg.to_dxf(sys.argv[1], sys.argv[2], modelspace_only=True, explode_dimensions=False)"
DWG_NOTE = "DWG 只读取图形、图层和文字；扩展数据（XDATA）读不到。需要扩展数据时请另存为 DXF 提供。"


def read_dxf(path: Path, encoding: str | None = None) -> tuple[list[FileLayer], str]:
    """The features of the model space by layer and kind of geometry, and the character set of the texts."""
    document, codec, notes = _opened(path, encoding)
    return _layers(document, path.name, notes), _CODEPAGES.get(codec.lower(), codec.upper())


def read_dwg(path: Path) -> list[FileLayer]:
    """The geometry of a DWG, brought into DXF first by a process of its own, because the format is not published."""
    with path.open("rb") as file:
        version = file.read(6)
    if not version.startswith(b"AC10"):
        raise InvalidData(f"“{path.name}”不是 DWG 图纸（文件头不对）。请重新保存后上传。")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{path.stem}.dxf"
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _CONVERT, str(path.resolve()), str(target)],
                capture_output=True, timeout=DWG_TIME_LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise InvalidData(f"“{path.name}”{DWG_TIME_LIMIT_S} 秒内没有读完。请另存为 DXF 后上传。") from error
        if done.returncode or not target.exists():
            raise InvalidData(
                f"“{path.name}”（版本 {version.decode('ascii', 'replace')}）不能读取，版本过新或过旧，或文件已损坏。请另存为 DXF 后上传。"
            )
        layers, _ = read_dxf(target)
    return [replace(layer, notes=(DWG_NOTE, *layer.notes)) for layer in layers]


def _opened(path: Path, encoding: str | None) -> tuple[Drawing, str, list[str]]:
    """The drawing, the character set it was read in, and notes."""
    codec = charset_named(encoding, "选定时")[1] if encoding else None
    try:
        document, notes = _document(path, codec)
        if codec is None and (found := _better_encoding(path, document)):
            codec = found[1]
            document, _ = _document(path, codec)
            notes.append(f"图纸写明的编码与文字不符，已按 {found[0]} 读取。请核对样例文字，不对时另选编码。")
    except InvalidData:
        raise
    except (ezdxf.DXFError, *PARSER_FAULTS) as error:
        why = str(error).split("\n")[0].replace(str(path), path.name)[:120]
        raise InvalidData(f"“{path.name}”不是可以读取的 DXF，可能已损坏或不完整。请另存为 DXF 2007 或更高版本后上传。（{why}）") from error
    return document, codec or ("utf-8" if document.dxfversion >= _UNICODE_VERSION else document.encoding), notes


def _document(path: Path, codec: str | None) -> tuple[Drawing, list[str]]:
    """The drawing, with what had to be repaired; binary drawings and sound ones the plain way."""
    try:
        return ezdxf.readfile(path, encoding=codec), []
    except UnicodeDecodeError as error:
        raise InvalidData(f"“{path.name}”的文字不是选定的编码。请另选编码后重新读取。") from error
    except (ezdxf.DXFError, *PARSER_FAULTS):
        document, auditor = recover.readfile(path)
        if not len(document.modelspace()):
            raise
        faults = len(auditor.errors) + len(auditor.fixes)
        return document, [f"图纸结构不完整{f'（{faults} 处错误）' if faults else ''}，已尽量修复后读取，请核对要素是否齐全。"]


def _better_encoding(path: Path, document: Drawing) -> tuple[str, str] | None:
    """(name, codec) for an old drawing that says otherwise while its texts are Chinese in GBK."""
    if document.dxfversion >= _UNICODE_VERSION or document.encoding.lower() in ("cp936", "gbk", "gb18030", "cp950"):
        return None
    raw = path.read_bytes()
    if raw.startswith(b"AutoCAD Binary"):
        return None
    if sum(byte >= 0x80 for byte in raw) < _LEAST_FOREIGN_BYTES:
        return None
    try:
        name, codec, _ = detected(raw.splitlines())
    except InvalidData:
        return None
    return (name, codec) if name in ACCEPTED else None


def _layers(document: Drawing, file_name: str, notes: list[str]) -> list[FileLayer]:
    gathered: dict[tuple[str, str], list[tuple[Any, dict[str, Any]]]] = {}
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for entity, block in _entities(document, file_name):
        kind = entity.dxftype()
        try:
            found = shape_of(entity)
        except HasHeight as raised:
            found = raised.flat
            seen.add(HEIGHT_NOTE)
        except (ezdxf.DXFError, shapely.GEOSException, *PARSER_FAULTS):
            left_out[f"{kind}（图形有误）"] += 1
            continue
        if found is None:
            if not skips(kind):
                left_out[kind] += 1
            continue
        if found.is_curved:
            seen.add(CURVE_NOTE)
        family = _FAMILIES[found.shape.geom_type]
        gathered.setdefault((str(entity.dxf.get("layer", "0")), family), []).append((found.shape, _attributes(entity, block, found)))
    if not gathered:
        told = "、".join(f"{kind} {count} 个" for kind, count in left_out.most_common(5))
        raise InvalidData(f"“{file_name}”的模型空间里没有可以读取的图形{f'（只有 {told}）' if told else ''}。请核对图纸后重新上传。")
    if left_out:
        notes = [*notes, "没有读取的图元：" + "、".join(f"{kind} {count} 个" for kind, count in left_out.most_common(8)) + "。"]
    _label(gathered)
    kinds_of = Counter(layer for layer, _ in gathered)
    return [
        _layer(f"{layer}（{family}）" if kinds_of[layer] > 1 else layer, family, rows, (*notes, *sorted(seen)))
        for (layer, family), rows in sorted(gathered.items())
    ]


def _layer(name: str, family: str, rows: list[tuple[Any, dict[str, Any]]], notes: tuple[str, ...]) -> FileLayer:
    columns = told_by_values([attributes for _, attributes in rows])
    columns = {key: column for key, column in columns.items() if any(value is not None for value in column)}
    fields = tuple(field_of_values(key, column, _ALIASES.get(key, "")) for key, column in columns.items())
    shapes = as_column(shape for shape, _ in rows)
    is_multiple = any(shape.geom_type.startswith("Multi") for shape, _ in rows)
    return FileLayer(name, f"{'Multi' if is_multiple else ''}{_TYPES[family]}", fields, shapes, columns, notes=notes)


def _entities(document: Drawing, file_name: str) -> Iterator[tuple[DXFEntity, str]]:
    """Every entity of the model space with the block that it comes from; blocks are laid out where they stand."""
    count = 0
    for entity in document.modelspace():
        for found in _laid_out(entity, ()):
            count += 1
            if count > MOST_ENTITIES:
                raise InvalidData(f"“{file_name}”展开图块后超过 {MOST_ENTITIES} 个图元。请删去不需要的图层或图块后重新上传。")
            yield found


def _laid_out(entity: DXFEntity, blocks: tuple[str, ...]) -> Iterator[tuple[DXFEntity, str]]:
    """An entity and, of a block, the entities it stands for; a block inside itself is not laid out again."""
    yield entity, blocks[-1] if blocks else ""
    name = str(entity.dxf.get("name", "")) if isinstance(entity, Insert) else ""
    if not isinstance(entity, Insert) or name in blocks or len(blocks) >= _DEEPEST_BLOCK:
        return
    if entity.mcount > MOST_ENTITIES:
        raise InvalidData(f"图块“{name}”的阵列有 {entity.mcount} 个，超过 {MOST_ENTITIES} 个。请在图纸里改小后重新上传。")
    try:
        for each in entity.multi_insert() if entity.mcount > 1 else (entity,):
            for part in each.virtual_entities():
                if part.dxf.get("layer", "0") == "0":
                    part.dxf.layer = entity.dxf.get("layer", "0")
                yield from _laid_out(part, (*blocks, name))
    except (ezdxf.DXFError, *PARSER_FAULTS):
        return


def _attributes(entity: DXFEntity, block: str, found: Flat) -> dict[str, Any]:
    told: dict[str, Any] = {
        "HANDLE": entity.dxf.get("handle"), "ENTITY": entity.dxftype(), "COLOR": entity.dxf.get("color", 256),
        "BLOCK": block or (str(entity.dxf.get("name", "")) if isinstance(entity, Insert) else None) or None,
        "TEXT": found.text or None,
    }  # fmt: skip
    if isinstance(entity, Insert):
        told |= {attrib.dxf.tag or "ATTRIB": attrib.dxf.text for attrib in entity.attribs}
    if entity.xdata is not None:
        for application, tags in entity.xdata.data.items():
            values = [_plain(tag.value) for tag in tags if tag.code not in (1001, 1002)]
            if application == OWN_APPLICATION:
                told |= dict(_named(values[:_MOST_XDATA]))
                continue
            told |= {f"{application}_{number}": value for number, value in enumerate(values[:_MOST_XDATA], start=1)}
    return told


def _named(values: list[Any]) -> Iterator[tuple[str, str | None]]:
    """The values of a drawing that the portal wrote, each `field=value`; nothing after the sign is a missing one."""
    for value in values:
        name, sign, text = str(value).partition("=")
        if sign and name:
            yield name, text or None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, int | float | str) else ",".join(f"{each:.10g}" for each in value)


def _label(gathered: dict[tuple[str, str], list[tuple[Any, dict[str, Any]]]]) -> None:
    """Write each text into the smallest polygon that it stands in."""
    plates = [row for (_, family), rows in gathered.items() if family == "面" for row in rows]
    texts = [row for (_, family), rows in gathered.items() if family == "点" for row in rows if row[1].get("TEXT")]
    if not plates or not texts:
        return
    shapes = [shape for shape, _ in plates]
    areas = shapely.area(shapes)
    tree = shapely.STRtree(shapes)
    inside: dict[int, list[str]] = {}
    for point, attributes in texts:
        around = tree.query(point, predicate="within")
        if len(around):
            inside.setdefault(int(min(around, key=lambda index: areas[index])), []).append(attributes["TEXT"])
    for index, words in inside.items():
        plates[index][1]["TEXT"] = "；".join(words)
