"""What a file really is, read from its content; the name only has to agree.

Signatures are those of the formats' own specifications (ISO 32000, PNG, JFIF, PKZIP APPNOTE, ECMA-376,
GB/T 33190, Open Design DWG, AutoCAD DXF reference, SQLite file format).
"""

import codecs
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from domain.errors import InvalidData
from domain.file_name import extension_of

PROBE_BYTES = 64 * 1024
"""How much of the start of a file is looked at; the list of a zip's members is read besides."""


LARGEST_ZIP_DIRECTORY_BYTES = 4 * 1024 * 1024
"""About 40,000 members; the list of a larger archive is not read, it is just a zip."""
_ZIP_TAIL_BYTES = 22 + 65535 + 20


@dataclass(frozen=True, slots=True)
class FileType:
    """One kind of content: its key, what people call it, its media type, and the endings it goes by."""

    key: str
    label: str
    media_type: str
    extensions: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument"
_ALL = (
    FileType("pdf", "PDF 文档", "application/pdf", ("pdf",)),
    FileType("png", "PNG 图片", "image/png", ("png",)),
    FileType("jpg", "JPEG 图片", "image/jpeg", ("jpg", "jpeg")),
    FileType("gif", "GIF 图片", "image/gif", ("gif",)),
    FileType("webp", "WebP 图片", "image/webp", ("webp",)),
    FileType("bmp", "BMP 图片", "image/bmp", ("bmp",)),
    FileType("tif", "TIFF 图片", "image/tiff", ("tif", "tiff")),
    FileType("heic", "HEIC 图片", "image/heic", ("heic", "heif")),
    FileType("mp4", "MP4 视频", "video/mp4", ("mp4", "m4v", "m4a")),
    FileType("mov", "QuickTime 视频", "video/quicktime", ("mov",)),
    FileType("webm", "WebM 音视频", "video/webm", ("webm", "mkv")),
    FileType("docx", "Word 文档", f"{_OFFICE}.wordprocessingml.document", ("docx",)),
    FileType("xlsx", "Excel 工作簿", f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    FileType("pptx", "PowerPoint 演示文稿", f"{_OFFICE}.presentationml.presentation", ("pptx",)),
    FileType("ofd", "OFD 版式文档", "application/ofd", ("ofd",)),
    FileType("kmz", "KMZ 地标", "application/vnd.google-earth.kmz", ("kmz",)),
    FileType("zip", "ZIP 压缩包", "application/zip", ("zip",)),
    FileType("rar", "RAR 压缩包", "application/vnd.rar", ("rar",)),
    FileType("7z", "7z 压缩包", "application/x-7z-compressed", ("7z",)),
    FileType("doc", "旧版 Office 文档", "application/x-ole-storage", ("doc", "xls", "ppt", "wps", "et")),
    FileType("mdb", "Access 数据库", "application/x-msaccess", ("mdb", "accdb")),
    FileType("gpkg", "GeoPackage", "application/geopackage+sqlite3", ("gpkg",)),
    FileType("sqlite", "SQLite 数据库", "application/vnd.sqlite3", ("sqlite", "db")),
    FileType("dwg", "DWG 图纸", "image/vnd.dwg", ("dwg",)),
    FileType("dxf", "DXF 图纸", "image/vnd.dxf", ("dxf",)),
    FileType("geojson", "GeoJSON", "application/geo+json", ("geojson", "json")),
    FileType("json", "JSON", "application/json", ("json", "geojson")),
    FileType("kml", "KML 地标", "application/vnd.google-earth.kml+xml", ("kml", "xml")),
    FileType("svg", "SVG 图形", "image/svg+xml", ("svg",)),
    FileType("xml", "XML", "application/xml", ("xml", "gml", "prj", "qgs")),
    FileType("html", "网页", "text/html", ("html", "htm")),
    FileType("txt", "纯文本", "text/plain", ("txt", "csv", "tsv", "md", "prj", "cpg", "wkt")),
    FileType("program", "可执行程序", "application/x-executable", ()),
    FileType("macro", "带宏的 Office 文档", "application/vnd.ms-office.macro", ()),
    FileType("script", "脚本程序", "text/x-script", ()),
    FileType("empty", "空文件", "application/x-empty", ()),
    FileType("unknown", "无法识别的内容", "application/octet-stream", ()),
)
FILE_TYPES = {each.key: each for each in _ALL}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"II+\x00", "tif"),
    (b"MM\x00+", "tif"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc"),
    (b"\x00\x01\x00\x00Standard Jet DB\x00", "mdb"),
    (b"\x00\x01\x00\x00Standard ACE DB\x00", "mdb"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"AutoCAD Binary DXF\r\n\x1a\x00", "dxf"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xce\xfa\xed\xfe", "program"),
    (b"#!", "script"),
)
_MOVIE_BRANDS = {b"qt  ": "mov", b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"msf1": "heic"}
_OFFICE_PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
_TEXT_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def type_of(path: Path) -> FileType:
    """The kind of content of a file on disk; `unknown` when nothing we know fits."""
    with path.open("rb") as file:
        head = file.read(PROBE_BYTES)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return FILE_TYPES[_zip_key(path)]
    return FILE_TYPES[_binary_key(head) or _text_key(head, is_whole=len(head) < PROBE_BYTES)]


def check_type(path: Path, name: str, allowed: tuple[str, ...] | None = None) -> FileType:
    """The kind of content, if it agrees with the ending of the name and is among the allowed kinds.

    Raises InvalidData that names what was found: a program called .pdf is refused as a program.
    """
    found = type_of(path)
    extension = extension_of(name)
    if extension not in found.extensions:
        said = f"扩展名是 .{extension}" if extension else "没有扩展名"
        raise InvalidData(f"「{name}」{said}，但内容{_content_words(found)}，没有接收。{_advice(found, extension)}")
    if allowed is not None and found.key not in allowed:
        wanted = "、".join(FILE_TYPES[key].label for key in allowed)
        raise InvalidData(f"「{name}」是{found.label}，这里只收{wanted}。请转换格式后重新上传。")
    return found


def _content_words(found: FileType) -> str:
    return "不是这种格式" if found.key == "unknown" else f"是{found.label}"


def _advice(found: FileType, extension: str) -> str:
    """What to do about a file whose name and content differ."""
    if found.key == "empty":
        return "请确认文件已经写完，再重新上传。"
    if found.key == "unknown" or (found.key == "txt" and extension in ("json", "geojson", "xml", "kml", "gml")):
        return "文件可能已损坏或没有写完，请重新导出后上传。"
    if not found.extensions:
        return "请上传原始的文档、图片或图形文件。"
    return f"确实是{found.label}的，请把扩展名改为 .{found.extensions[0]} 后重新上传。"


def _binary_key(head: bytes) -> str | None:
    """The kind told by the first bytes alone; None when they tell nothing."""
    if not head:
        return "empty"
    if head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n").startswith(b"%PDF-"):
        return "pdf"
    for signature, key in _SIGNATURES:
        if head.startswith(signature):
            return key
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _MOVIE_BRANDS.get(head[8:12], "mp4")
    if re.match(rb"AC10\d\d\x00", head):
        return "dwg"
    if head.startswith(b"SQLite format 3\x00"):
        return "gpkg" if head[68:72] in (b"GPKG", b"GP10", b"GP11") else "sqlite"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "bmp"
    return None


def _zip_key(path: Path) -> str:
    """Which of the formats that are zip archives this is, by the names of its members."""
    if _has_huge_directory(path):
        return "zip"
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "unknown"
    if any(member.lower().endswith("vbaproject.bin") for member in members):
        return "macro"
    if "[Content_Types].xml" in members:
        return next((key for part, key in _OFFICE_PARTS.items() if part in members), "zip")
    if "OFD.xml" in members:
        return "ofd"
    return "kmz" if "doc.kml" in members else "zip"


def _has_huge_directory(path: Path) -> bool:
    """Whether listing the members would cost more memory than any document or map sheet is worth.

    The size is read from the end record, as zipfile does; a ZIP64 archive is taken for huge unread.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _ZIP_TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return False
    if b"PK\x06\x07" in tail[:at]:
        return True
    return int.from_bytes(tail[at + 12 : at + 16], "little") > LARGEST_ZIP_DIRECTORY_BYTES


def _text_key(head: bytes, is_whole: bool) -> str:
    """Which kind of text this is; `unknown` when the bytes are no text at all."""
    text = _decoded(head, is_whole)
    if text is None or _TEXT_CONTROL.search(text):
        return "unknown"
    start = text.lstrip("\ufeff \t\r\n")
    if re.match(r"(999\r?\n.*\r?\n\s*)*0\r?\nSECTION\r?\n", start):
        return "dxf"
    if start.startswith(("{", "[")):
        return _json_key(start, is_whole)
    if start.startswith("<"):
        return _markup_key(start)
    return "txt"


def _decoded(head: bytes, is_whole: bool) -> str | None:
    """The text in UTF-8, UTF-16 with mark, or GB18030; None if it is in none of them."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            return codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)
        except UnicodeDecodeError:
            continue
    return None


def _json_key(text: str, is_whole: bool) -> str:
    """GeoJSON, other JSON, or text that only begins like it; a long file is judged by its beginning."""
    if is_whole:
        try:
            json.loads(text)
        except ValueError:
            return "txt"
    is_geographic = re.search(r'"type"\s*:\s*"(Feature|FeatureCollection|GeometryCollection)"', text)
    return "geojson" if is_geographic else "json"


def _markup_key(text: str) -> str:
    """KML, SVG, web page or other XML, by the first element."""
    root = re.search(r"<(?![?!])([\w:.-]+)", text)
    name = root.group(1).rpartition(":")[2].lower() if root else ""
    if name in ("kml", "svg", "html"):
        return name
    return "xml" if text.startswith("<?xml") or root else "txt"
