"""What the simulated platform checks in a package before it takes it, and afterwards."""

import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.ports.usage_control import PackageKind
from integrations.simulators.simulator import rejection
from integrations.usage_control.codes import APPROVAL_FIELDS, KINDS, REVOCATION_FIELDS

Rejections = list[dict[str, str | None]]

UNPACKED_LIMIT = 256 * 1024 * 1024
_LAYER_PARTS = (".shp", ".shx", ".dbf", ".prj")
_SHAPE_FILE_CODE = 9994  # ESRI Shapefile Technical Description, main file header
_NATIONAL_FRAME = re.compile(r"CGCS[ _]?2000|China[ _]Geodetic|China_2000", re.IGNORECASE)
_COORDINATE_LINE = re.compile(r"J?[0-9]+,[0-9]+,-?[0-9]+(\.[0-9]+)?,-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A package whose manifest and digests hold: the manifest and the files by name."""

    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]

    def json(self, name: str) -> Mapping[str, Any]:
        """Return a JSON object of the package, empty when it is none."""
        try:
            value = json.loads(self.files[name])
        except (UnicodeDecodeError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}


class PackageFault(Exception):
    """The package cannot be taken at all; `rejections` says why."""

    def __init__(self, rejections: Rejections) -> None:
        super().__init__("; ".join(str(entry["text"]) for entry in rejections))
        self.rejections = rejections


def unpack(content: bytes, business_key: str, kind: PackageKind, digest: str) -> Unpacked:
    """Open a package and check its digest, manifest and files against each other. Raises PackageFault."""
    if hashlib.new("sm3", content).hexdigest() != digest:
        raise PackageFault([rejection("UC-DIGEST", "报送包的摘要与内容不符", field_name="digest")])
    files = _read_zip(content)
    manifest = _read_manifest(files, business_key, kind)
    faults = _compare(manifest, files)
    if faults:
        raise PackageFault(faults)
    return Unpacked(manifest, {name: data for name, data in files.items() if name != "manifest.json"})


def content_rejections(package: Unpacked, kind: PackageKind) -> Rejections:
    """Return what the platform finds wrong in the content of a package it has taken."""
    checks = (_CONTENT_CHECKS[name] for name in KINDS[kind].requires)
    return [fault for check in checks for fault in check(package)]


def _read_zip(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > UNPACKED_LIMIT:
                raise PackageFault([rejection("UC-SIZE", f"解包后超过 {UNPACKED_LIMIT} 字节")])
            return {entry.filename: archive.read(entry) for entry in entries}
    except zipfile.BadZipFile as error:
        raise PackageFault([rejection("UC-ZIP", "报送包不是完好的 zip 文件")]) from error


def _read_manifest(files: Mapping[str, bytes], business_key: str, kind: PackageKind) -> Mapping[str, Any]:
    if "manifest.json" not in files:
        raise PackageFault([rejection("UC-MANIFEST", "缺少清单", "manifest.json")])
    manifest = Unpacked({}, files).json("manifest.json")
    expected = {"version": "1", "business_key": business_key, "kind": KINDS[kind].code}
    faults = [
        rejection("UC-MANIFEST", f"应为 {value}", "manifest.json", name)
        for name, value in expected.items()
        if manifest.get(name) != value
    ]
    if not isinstance(manifest.get("case_number"), str) or not manifest["case_number"]:
        faults.append(rejection("UC-MANIFEST", "缺少办件编号", "manifest.json", "case_number"))
    if not _is_file_list(manifest.get("files")):
        faults.append(rejection("UC-MANIFEST", "文件清单不合格", "manifest.json", "files"))
    if faults:
        raise PackageFault(faults)
    return manifest


def _is_file_list(value: Any) -> bool:
    names = {"name", "size", "sm3"}
    return isinstance(value, list) and all(isinstance(entry, dict) and set(entry) == names for entry in value)


def _compare(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Rejections:
    listed = {entry["name"]: entry for entry in manifest["files"]}
    held = {name: data for name, data in files.items() if name != "manifest.json"}
    faults = [rejection("UC-FILE", "清单所列文件不在包内", name) for name in sorted(set(listed) - set(held))]
    faults += [rejection("UC-FILE", "包内文件未列入清单", name) for name in sorted(set(held) - set(listed))]
    for name in sorted(set(listed) & set(held)):
        same_size = listed[name]["size"] == len(held[name])
        if not same_size or listed[name]["sm3"] != hashlib.new("sm3", held[name]).hexdigest():
            faults.append(rejection("UC-FILE", "文件大小或摘要与清单不符", name))
    return faults


def _check_layer(package: Unpacked) -> Rejections:
    layers = [name[:-4] for name in package.files if name.lower().endswith(".shp")]
    if len(layers) != 1:
        return [rejection("UC-LAYER", f"应有一个空间图层（.shp），实有 {len(layers)} 个")]
    stem = layers[0]
    missing = [part for part in _LAYER_PARTS if stem + part not in package.files]
    if missing:
        return [rejection("UC-LAYER", f"空间图层缺少 {part} 文件", stem + part) for part in missing]
    faults: Rejections = []
    header = package.files[stem + ".shp"][:28]
    if len(header) < 28 or struct.unpack(">i", header[:4])[0] != _SHAPE_FILE_CODE:
        faults.append(rejection("UC-LAYER", "不是 Shape 格式的空间图层", stem + ".shp"))
    if not _NATIONAL_FRAME.search(package.files[stem + ".prj"].decode("latin-1")):
        faults.append(rejection("UC-FRAME", "坐标系不是国家坐标（CGCS2000）", stem + ".prj"))
    return faults


def _check_coordinates(package: Unpacked) -> Rejections:
    name = "coordinates.txt"
    if name not in package.files:
        return [rejection("UC-COORDINATES", "缺少坐标文件", name)]
    try:
        lines = package.files[name].decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return [rejection("UC-COORDINATES", "坐标文件不是 UTF-8 文字", name)]
    points = [line for line in lines if line.strip() and not line.startswith("#")]
    bad = next((line for line in points if not _COORDINATE_LINE.fullmatch(line.strip())), None)
    if bad is not None:
        return [rejection("UC-COORDINATES", f"不合格的坐标行：{bad.strip()[:60]}", name)]
    if len(points) < 2:
        return [rejection("UC-COORDINATES", f"至少应有 2 个坐标点，实有 {len(points)} 个", name)]
    return []


def _check_approval(package: Unpacked) -> Rejections:
    return _check_fields(package, "approval.json", APPROVAL_FIELDS, "审批结果数据")


def _check_revocation(package: Unpacked) -> Rejections:
    return _check_fields(package, "revocation.json", REVOCATION_FIELDS, "撤销许可记录")


def _check_fields(package: Unpacked, name: str, required: tuple[str, ...], label: str) -> Rejections:
    if name not in package.files:
        return [rejection("UC-REQUIRED", f"缺少{label}", name)]
    record = package.json(name)
    faults = [
        rejection("UC-REQUIRED", f"{label}的必填项为空", name, field)
        for field in required
        if not isinstance(record.get(field), str) or not record[field].strip()
    ]
    if not faults and record["case_number"] != package.manifest["case_number"]:
        faults.append(rejection("UC-CASE", f"{label}的办件编号与清单不同", name, "case_number"))
    return faults


def _check_documents(package: Unpacked) -> Rejections:
    if any(name.startswith("documents/") and data for name, data in package.files.items()):
        return []
    return [rejection("UC-REQUIRED", "缺少文档材料", "documents/")]


_CONTENT_CHECKS: Mapping[str, Callable[[Unpacked], Rejections]] = {
    "layer": _check_layer,
    "coordinates": _check_coordinates,
    "approval": _check_approval,
    "revocation": _check_revocation,
    "documents": _check_documents,
}
