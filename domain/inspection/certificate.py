"""What certifies a package: a JSON document that anyone can make again from the package and compare.

It has no name of a person. `seal` is the SM3 digest of the document without it: it shows a change of the document by
accident; that the portal made it is shown by the register of the portal, which keeps every certificate.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.errors import InvalidData
from domain.inspection.model import InspectionResult
from domain.inspection.scheme import Scheme, Variant

FORMAT = "guitu-inspection-1"
REPEATED = (
    "package", "scheme", "edition", "variant", "on", "district", "declared", "parameters", "engines", "counts", "checked",
    "findings", "findings_digest", "score", "lowest", "passed", "certifies",
)  # fmt: skip
"""What a second inspection of the same package must give again."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What beside package and scheme a result depends on: day of the rules, district, and what was declared in reading."""

    on: str
    district: str = ""
    declared_crs: str = ""
    encoding: str = ""


def digest_of(path: Path) -> str:
    """SM3 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new("sm3")).hexdigest()


def certificate_of(
    result: InspectionResult, scheme: Scheme, digest: str, size: int, at: datetime, told: Circumstances, variant: Variant | None = None
) -> dict[str, Any]:
    """The certificate of a result, sealed; also of one that did not pass, which then says so."""
    laid = variant or Variant()
    document = {
        "format": FORMAT,
        "package": {"sm3": digest, "bytes": size},
        "scheme": {"key": scheme.key, "title": scheme.title, "digest": scheme.digest},
        "edition": result.edition,
        "variant": {"off": sorted(laid.off), "parameters": dict(sorted(laid.parameters.items()))},
        "on": told.on,
        "district": told.district,
        "declared": {"crs": told.declared_crs, "encoding": told.encoding},
        "parameters": dict(sorted(result.parameters.items())),
        "engines": dict(sorted(result.engines.items())),
        "counts": result.counts,
        "checked": dict(sorted(result.checked.items())),
        "findings": len(result.findings),
        "findings_digest": findings_digest(result),
        "score": _text(result.score),
        "lowest": _text(scheme.lowest),
        "passed": result.passed and result.certifies,
        "certifies": result.certifies,
        "at": at.isoformat(),
    }
    return document | {"seal": seal_of(document)}


def findings_digest(result: InspectionResult) -> str:
    """SM3 of every finding in order, so that equal counts of other findings are told apart."""
    lines = "\n".join(json.dumps([each.code, each.layer, each.feature, each.field, each.message], ensure_ascii=False) for each in result.findings)
    return hashlib.new("sm3", lines.encode()).hexdigest()


def seal_of(document: Mapping[str, Any]) -> str:
    """SM3 of a certificate without its seal, keys in order."""
    kept = {key: value for key, value in document.items() if key != "seal"}
    return hashlib.new("sm3", json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_certificate(text: str) -> dict[str, Any]:
    """A certificate from its file. Raises InvalidData for one that is none, or was changed since it was sealed."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidData("质检证书不是 JSON 文件，不能核对。请选择门户下载的证书原件。") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or set(REPEATED) - set(document):
        raise InvalidData("这个文件不是质检证书，或缺少内容。请选择门户下载的证书原件。")
    if document.get("seal") != seal_of(document):
        raise InvalidData("质检证书的内容与封缄不符，已被改动。请使用门户下载的证书原件。")
    return document


def differences(given: Mapping[str, Any], again: Mapping[str, Any]) -> tuple[str, ...]:
    """What a certificate says otherwise than an inspection made again; only versions of engines may explain it."""
    return tuple(key for key in REPEATED if given.get(key) != again.get(key))


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")
