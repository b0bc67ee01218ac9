"""Report packages for the tests, built the way docs/partners.md describes them."""

import hashlib
import io
import json
import struct
import zipfile

from domain.ports.usage_control import PackageKind, ReportPackage
from integrations.usage_control.codes import KINDS

CASE = "样例办件-0001"
PROJECTION = 'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000"]]'
APPROVAL = {
    "case_number": CASE,
    "project_name": "样例路给水管道工程",
    "item_name": "建设工程规划许可证（管线工程）",
    "applicant_name": "样例管线建设有限公司",
    "decision": "准予许可",
    "decided_on": "2026-06-30",
}
LAYER = {
    "layer/extent.shp": struct.pack(">i", 9994) + bytes(96),
    "layer/extent.shx": struct.pack(">i", 9994) + bytes(96),
    "layer/extent.dbf": bytes(33),
    "layer/extent.prj": PROJECTION.encode(),
}


def permit_files(**changes: bytes | None) -> dict[str, bytes]:
    """The files of an initial permit report; a change of None leaves a file out."""
    files: dict[str, bytes | None] = {
        **LAYER,
        "coordinates.txt": b"J1,1,121.450000000,31.230000000\nJ2,1,121.460000000,31.230000000\n",
        "approval.json": json.dumps(APPROVAL).encode(),
        **changes,
    }
    return {name: data for name, data in files.items() if data is not None}


def revocation_files(number: str) -> dict[str, bytes]:
    """The files of a cancellation."""
    record = {
        "case_number": CASE,
        "number": number,
        "reason": "建设单位申请注销",
        "revoked_on": "2026-07-15",
        "deciding_office": "样例规划资源局",
    }
    return {"revocation.json": json.dumps(record).encode(), "documents/decision.pdf": b"%PDF-1.7 sample"}


def make_package(
    business_key: str, kind: PackageKind, files: dict[str, bytes], /, **manifest: object
) -> ReportPackage:
    """Pack the files with a manifest; `manifest` overrides its entries."""
    content = {
        "version": "1",
        "business_key": business_key,
        "kind": KINDS[kind].code,
        "case_number": CASE,
        "files": [
            {"name": name, "size": len(data), "sm3": hashlib.new("sm3", data).hexdigest()}
            for name, data in files.items()
        ],
        **manifest,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json"), json.dumps(content))
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return as_package(business_key, kind, stream.getvalue())


def as_package(business_key: str, kind: PackageKind, content: bytes) -> ReportPackage:
    """Wrap any bytes as a package, with their true digest."""
    digest = hashlib.new("sm3", content).hexdigest()
    return ReportPackage(business_key, kind, "package.zip", io.BytesIO(content), digest)
