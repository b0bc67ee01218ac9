"""The one door from tasks to reading, schemes, the check itself, certificates and the intake of layers."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from domain.command import Work
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData, NotFound
from domain.inspection import InspectionResult, Scheme, Variant, schemes, score_of
from domain.inspection import inspect as checked
from domain.inspection.certificate import Circumstances, certificate_of, read_certificate, seal_of
from domain.inspection.grounds import grounds_of, write_grounds
from domain.inspection.task.access import CITY
from domain.inspection.task.tables import APPROVED, InspectionException, InspectionRun, InspectionTask
from domain.layer import FeatureData, LayerDefinition, intake
from domain.office import Office, office_of
from domain.portal_clock import today
from domain.spatial_file import FileLayer, SpatialFile, read_spatial_file
from domain.spatial_file import understood as read_in_words

READ_SHARE, CHECK_SHARE = 0.1, 0.8
"""Of the time of an inspection: reading, and the checks."""
MOST_MEMBERS = 200
"""Member files named on the page."""


def read(
    path: Path, file_name: str, declared_crs: str, encoding: str, local_systems: Mapping[str, LocalSystem]
) -> SpatialFile:
    """Read a package as it was declared. Raises InvalidData, with file, reason and what to do."""
    return read_spatial_file(path, file_name, declared_crs or None, encoding or None, local_systems)


def understood(file: SpatialFile) -> dict[str, Any]:
    """What was read of a package, for the page on which a person confirms it."""
    said = read_in_words(file).as_json()
    return said | {"members": said["members"][:MOST_MEMBERS], "layers": [each | {"system": _system(each)} for each in said["layers"]]}


def _system(layer: Mapping[str, Any]) -> str:
    if not layer["geometry_type"]:
        return "—"
    return layer["system"] or (f"不能接受（文件写的是 {layer['crs_words']}）" if layer["crs_words"] else "文件没有写明，请选定")


def titles() -> Mapping[str, str]:
    """Every scheme in force by key."""
    return {scheme.key: scheme.title for scheme in schemes().values()}


def title_of(key: str) -> str:
    """What a scheme is called; its key if it is no longer there."""
    return titles().get(key, key)


def require_scheme(key: str) -> None:
    """Raise InvalidData for a scheme that there is not."""
    if key not in schemes():
        raise InvalidData("请选择质检方案。", {"scheme": "请选择质检方案"})


def _scheme(key: str) -> Scheme:
    found = schemes().get(key)
    if found is None:
        raise NotFound("没有这个质检方案，它可能已停用。请从方案配置列表进入。")
    return found


def inspect(
    office: Office, file: SpatialFile, task: InspectionTask, run: InspectionRun, on: date, tell: Callable[[str, float], None]
) -> InspectionResult:
    """Inspect a package by the edition of its scheme on a day, with the variant of the run; `tell` may end it."""
    scheme = schemes().get(task.scheme)
    if scheme is None:
        raise NotFound("这个质检方案已停用，没有质检。请用现行的方案新建任务。")
    district = "" if task.district_code == CITY else task.district_code
    return checked(file, scheme, office.book, on, _laid_over(run), lambda words, share: tell(words, READ_SHARE + share * CHECK_SHARE), district)


def certificate(office: Office, run: InspectionRun, task: InspectionTask, result: InspectionResult, at: datetime) -> dict[str, Any]:
    """The certificate of a result, which anyone can make again from the package."""
    told = Circumstances(
        run.inspected_on.isoformat() if run.inspected_on else "", "" if task.district_code == CITY else task.district_code, run.declared_crs, run.encoding
    )
    return certificate_of(result, schemes()[task.scheme], run.digest, run.size_bytes, at, told, _laid_over(run))


def _laid_over(run: InspectionRun) -> Variant | None:
    return Variant(tuple(run.variant["off"]), run.variant["parameters"], run.variant["title"]) if run.variant else None


def issued(session: Session, run: InspectionRun) -> dict[str, Any]:
    """The certificate as it is handed out: with the approved exceptions, if the package passed by them, and sealed anew."""
    if not run.excepted_count:
        return dict(run.certificate)
    kept = select(InspectionException).where(InspectionException.run_id == run.id, InspectionException.state == APPROVED)
    given = [{"findings": each.finding_count, "reason": each.reason} for each in session.exec(kept.order_by(InspectionException.id)).all()]
    document = {
        **run.certificate, "exceptions": given, "score_with_exceptions": str(run.score),
        "passed_with_exceptions": run.is_passed and run.certificate.get("certifies") is not False,
    }  # fmt: skip
    return document | {"seal": seal_of(document)}


def certificate_text(session: Session, run: InspectionRun) -> str:
    """The certificate as the file that people download."""
    return json.dumps(issued(session, run), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write_rules(session: Session, run: InspectionRun, task: InspectionTask, path: Path) -> None:
    """Write the zip of the scheme and rules that a certificate rests on. Raises NotFound if they are no longer there."""
    write_grounds(path, grounds_of(office_of(session).book, _scheme(task.scheme), run.certificate["edition"]))


def score(task: InspectionTask, left: Mapping[str, int]) -> tuple[Decimal, Decimal]:
    """Score of what is left after exceptions, by the words of the checks, by the marks of the scheme; and the lowest that passes."""
    scheme = _scheme(task.scheme)
    return score_of(scheme, {check.key: left.get(check.label, 0) for check in scheme.checks}), scheme.lowest


def lowest_score(task: InspectionTask) -> Decimal | None:
    """The lowest score that passes; None if the scheme is no longer there."""
    found = schemes().get(task.scheme)
    return found.lowest if found is not None else None


def checked_variant(work: Work, scheme: str, off: Sequence[str], parameters: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """A variant as it is kept. Raises InvalidData for a check or parameter that the scheme has not, or a value that is no number."""
    found = scheme_page(work.session, scheme)
    checks, known = {each["key"] for each in found["checks"]}, {each["key"]: each for each in found["parameters"]}
    if strangers := [key for key in off if key not in checks] + [key for key in parameters if key not in known]:
        raise InvalidData(f"这个方案没有「{strangers[0]}」。请刷新页面后再配置。")
    wrong = {f"p-{key}": "应是不小于 0 的数" for key, value in parameters.items() if not _is_amount(value)}
    if wrong:
        raise InvalidData("有参数不是数字。请改正后再保存。", wrong)
    return sorted(off), dict(sorted(parameters.items()))


def _is_amount(text: str) -> bool:
    try:
        value = Decimal(text)
    except ArithmeticError:
        return False
    return value.is_finite() and value >= 0


def scheme_page(session: Session, key: str) -> Mapping[str, Any]:
    """A scheme as the page shows it: title, basis, edition, lowest score, checks and parameters. Raises NotFound."""
    scheme, on = _scheme(key), today(session)
    rules = office_of(session).book.rule_set("quality", scheme.rules, on)
    parameters = [
        {
            "key": name, "label": each.declaration.label, "value": format(each.general(on), "f"),
            "unit": each.declaration.unit.label if each.declaration.unit else "",
        }
        for name, each in rules.parameters.items() if isinstance(each.general(on), Decimal)
    ]  # fmt: skip
    checks = [{"key": each.key, "label": each.label} for each in scheme.checks]
    return {"key": key, "title": scheme.title, "basis": scheme.basis, "edition": rules.digest, "lowest": scheme.lowest, "checks": checks, "parameters": parameters}


def verified(session: Session, text: str, digest: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """What can be said of a certificate and a package at once: checks with their words, and what the certificate says.

    Raises InvalidData for a file that is no certificate, or was changed since it was sealed.
    """
    document = read_certificate(text)
    package = document["package"]
    is_registered = any(issued(session, run)["seal"] == document["seal"] for run in _passed_runs(session, package["sm3"]))
    is_passed = document["passed"] or document.get("passed_with_exceptions", False)
    checks = [
        {"label": "证书没有改动", "is_passed": True, "text": "内容与封缄一致"},
        {"label": "由本系统签发", "is_passed": is_registered, "text": "登记一致" if is_registered else "没有登记，或数据包后来重新质检、例外有变动"},
        {"label": "数据包就是质检的那一个", "is_passed": digest == package["sm3"], "text": f"SM3 {digest[:16]}…，证书写的是 {package['sm3'][:16]}…"},
        {"label": "质检合格", "is_passed": is_passed, "text": f"成绩 {document.get('score_with_exceptions', document['score'])} 分，合格线 {document['lowest']} 分"},
    ]
    facts = [
        {"label": "质检方案", "value": f"{document['scheme']['title']}（{document['edition']}）"}, {"label": "质检日期", "value": document["on"]},
        {"label": "问题", "value": f"{document['findings']:,} 处"}, {"label": "要素", "value": "，".join(f"{k} {v:,} 个" for k, v in document["checked"].items())},
        {"label": "关闭的检查", "value": "、".join(document["variant"]["off"]) or "无"}, {"label": "引擎", "value": "，".join(f"{k} {v}" for k, v in document["engines"].items())},
    ]  # fmt: skip
    return checks, facts


def _passed_runs(session: Session, digest: str) -> Sequence[InspectionRun]:
    """The inspections that a certificate of this package may be of; a hundred at the most, the newest first."""
    statement = select(InspectionRun).where(InspectionRun.digest == digest, InspectionRun.is_passed)
    return session.exec(statement.order_by(col(InspectionRun.id).desc()).limit(100)).all()


def features_of(layer: FileLayer, definition: LayerDefinition, session: Session) -> list[FeatureData]:
    """The features of a file's layer for a layer of ours. Raises InvalidData by feature."""
    return intake.features_of(layer, definition)
