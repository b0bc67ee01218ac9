"""`portal inspect PACKAGE --scheme NAME`: quality inspection without the web, and a certificate made or made again."""

import argparse
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from domain.errors import PortalError
from domain.inspection import InspectionResult, Scheme, Variant, inspect, schemes
from domain.inspection.certificate import (
    Circumstances,
    certificate_of,
    differences,
    digest_of,
    read_certificate,
)
from domain.inspection.grounds import OneEdition, grounds_of, read_grounds
from domain.inspection.judging import KIND, Editions
from domain.portal_clock import now, today
from domain.rule_edition import shelf
from domain.spatial_file import read_spatial_file
from portal import coordinates
from portal.command_line import CommandRefused
from portal.database import Database
from portal.office import open_office
from portal.settings import PROJECT_DIR, current_settings
from rules.case_type import DefinitionFaults
from rules.engine import RuleBook, RuleError, RuleSet

SETS = PROJECT_DIR / "rules" / "sets"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `inspect`."""
    words = "按质检方案检查一个数据包；有拦截的问题时退出码 1，不能检查时退出码 2。"
    parser = subparsers.add_parser("inspect", help="空间数据质检", description=words)
    parser.add_argument("package", type=Path, metavar="PACKAGE", help="数据包（zip、mdb、gpkg、geojson 等）")
    parser.add_argument("--scheme", metavar="NAME", help="质检方案的键；有证书时可不写")
    parser.add_argument("--on", type=date.fromisoformat, metavar="DATE", help="按哪天施行的规则（2026-01-31，默认今天）")
    parser.add_argument("--district", default="", metavar="CODE", help="报送的行政区代码")
    parser.add_argument("--crs", default="", metavar="EPSG:4490", help="文件没有写坐标系时，在此声明")
    parser.add_argument("--encoding", default="", help="文件没有写编码时，在此声明")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="已有的证书：重做并逐项核对；没有这个文件则写出")
    rules = parser.add_mutually_exclusive_group()
    rules.add_argument("--rules", type=Path, metavar="ZIP", help="与证书一起下载的规则包：用里面的方案和规则版本，不用随程序的")
    rules.add_argument(
        "--edition", nargs="?", const="", metavar="DIGEST",
        help="用门户数据库里的规则：摘要（开头几位即可）；不写摘要时是证书写的版本，没有证书时是当天施行的版本",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Inspect; what cannot be inspected is refused with its reason."""
    try:
        return _inspected(arguments)
    except (PortalError, RuleError, DefinitionFaults) as refusal:
        raise CommandRefused(str(getattr(refusal, "message", refusal))) from refusal
    except OSError as error:
        raise CommandRefused(f"文件 {error.filename or arguments.package} 不能读写（{error.strerror}）。请核对路径。") from error


def _inspected(arguments: argparse.Namespace) -> int:
    given = _given(arguments.certificate)
    grounds = read_grounds(arguments.rules) if arguments.rules else None
    scheme, variant, told = _asked(arguments, given, {grounds.scheme.key: grounds.scheme} if grounds else schemes())
    book = OneEdition(grounds.rules) if grounds else _book(arguments, scheme, given, told)
    digest = digest_of(arguments.package)
    file = read_spatial_file(arguments.package, arguments.package.name, told.declared_crs or None, told.encoding or None, coordinates.load(current_settings()).systems)
    result = inspect(file, scheme, book, date.fromisoformat(told.on), variant, district=told.district)
    made = certificate_of(result, scheme, digest, arguments.package.stat().st_size, now(), told, variant)
    if arguments.certificate and given is None:
        arguments.certificate.write_text(json.dumps(made, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    different = differences(given, made) if given else ()
    print(as_json(arguments.package.name, result, made, different) if arguments.json else as_text(scheme, result, different))
    return 1 if different or not result.passed else 0


def _book(arguments: argparse.Namespace, scheme: Scheme, given: dict[str, Any] | None, told: Circumstances) -> Editions:
    """The rules that judge: those shipped, or an edition that the portal's database keeps."""
    if arguments.edition is None:
        return RuleBook([SETS], engine="python")
    settings = current_settings()
    database = Database(settings.database_url, pooled=False)
    try:
        with database.reading() as session:
            book = open_office(settings, recorded=shelf.recorded(session)).book
    finally:
        database.dispose()
    if arguments.edition:
        return OneEdition(_by_digest(book, scheme, arguments.edition))
    return OneEdition(grounds_of(book, scheme, given["edition"]).rules) if given else book


def _by_digest(book: RuleBook, scheme: Scheme, digest: str) -> RuleSet:
    found = [each for each in book.editions(KIND, scheme.rules) if each.digest.startswith(digest.lower())]
    if len({each.digest for each in found}) != 1:
        known = "、".join(each.digest[:16] for each in book.editions(KIND, scheme.rules))
        raise CommandRefused(f"规则集 {scheme.rules} 里摘要以 {digest} 开头的版本有 {len(found)} 个，应恰好一个。可用 {known}。")
    return found[0]


def _given(path: Path | None) -> dict[str, Any] | None:
    return read_certificate(path.read_text(encoding="utf-8")) if path is not None and path.exists() else None


def _asked(
    arguments: argparse.Namespace, given: dict[str, Any] | None, known: Mapping[str, Scheme]
) -> tuple[Scheme, Variant, Circumstances]:
    """Scheme, variant and circumstances: of the certificate where there is one, else as the command says."""
    key = given["scheme"]["key"] if given else arguments.scheme
    if given and arguments.scheme not in (None, key):
        raise CommandRefused(f"证书用的是方案 {key}，不是 {arguments.scheme}。请去掉 --scheme 或改用对应的证书。")
    scheme = known.get(key or (next(iter(known)) if arguments.rules else ""))
    if scheme is None:
        raise CommandRefused(f"没有质检方案 {key or '（未写 --scheme）'}。可用 {'、'.join(known)}。")
    if given:
        told = Circumstances(given["on"], given["district"], given["declared"]["crs"], given["declared"]["encoding"])
        return scheme, Variant(tuple(given["variant"]["off"]), given["variant"]["parameters"]), told
    on = arguments.on or today()
    return scheme, Variant(), Circumstances(on.isoformat(), arguments.district, arguments.crs, arguments.encoding)


def as_json(package: str, result: InspectionResult, made: dict[str, Any], different: tuple[str, ...]) -> str:
    """The contract of `portal inspect --json`."""
    shown = ("code", "layer", "feature", "field", "x", "y", "severity", "message", "fix", "key", "value")
    findings = [{name: getattr(each, name) for name in shown} for each in result.findings]
    document = {
        "package": package, "sm3": made["package"]["sm3"], "scheme": result.scheme, "edition": result.edition, "findings": findings,
        "counts": result.counts, "checked": dict(result.checked), "score": str(result.score), "passed": result.passed,
        "parameters": dict(result.parameters), "engines": dict(result.engines), "differences": list(different),
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False)


def as_text(scheme: Scheme, result: InspectionResult, different: tuple[str, ...]) -> str:
    """One line a finding, then score and verdict."""
    lines = [
        f"{each.code}\t{each.severity}\t{each.layer}\t{each.feature or ''}\t{each.key}\t{each.message}" for each in result.findings
    ]
    checked = "，".join(f"{name} {count} 个要素" for name, count in result.checked.items())
    lines.append(f"{scheme.title}：{checked or '没有可检查的图层'}，发现 {len(result.findings)} 处，得分 {result.score}，{'通过' if result.passed else '未通过'}")
    if different:
        lines.append(f"与证书不符的项目：{'、'.join(different)}。数据包、方案、规则或软件版本与出证时不同。")
    if "edition" in different:
        lines.append("规则版本与出证时不同：请加 --rules 和与证书一起下载的规则包，或在装有门户数据库的机器上加 --edition。")
    return "\n".join(lines)
