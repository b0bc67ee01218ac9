"""`inspect`: a package against a scheme, the same findings in the same order for the same package, scheme and edition."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import numpy
import shapely

from domain.inspection.judging import Editions, Judge, is_tighter
from domain.inspection.measure import MEASURES
from domain.inspection.model import Finding, InspectionResult
from domain.inspection.scheme import Scheme, Variant
from domain.inspection.subject import Candidate, InspectedLayer, Subject
from domain.spatial_file import SpatialFile

ENGINE_VERSION = "1"
"""Raised whenever a measure would give other candidates for the same package."""
ERROR, NOTICE = "error", "notice"


def inspect(
    file: SpatialFile,
    scheme: Scheme,
    book: Editions,
    on: date,
    variant: Variant | None = None,
    tell: Callable[[str, float], None] = lambda words, share: None,
    district: str = "",
) -> InspectionResult:
    """Inspect a package by a scheme, judged by the edition of its rule set on a day.

    `tell` gets the words of the check under way and the share done, and may raise to end the inspection. `district` is
    the code of the district that hands the package in, "" for none. Raises InspectionRefused where the rule set cannot
    judge, and the errors of rules.engine where there is none in force.
    """
    judge = Judge(scheme, book, on, variant)
    subject = Subject(file, scheme, judge.parameters, district, tell)
    made = [check for check in scheme.checks if check.key not in judge.variant.off]
    findings: list[Finding] = []
    for number, check in enumerate(made):
        tell(check.label, number / len(made))
        findings += _judged(subject, judge, MEASURES[check.key](subject), check.label)
    tell("", 1.0)
    score = score_of(scheme, counted(findings))
    passed = score >= scheme.lowest and not any(each.severity == ERROR for each in findings)
    checked = {layer.name: layer.layer.count for layer in subject.layers}
    shown = {key: _plain(value) for key, value in judge.parameters.items()}
    return InspectionResult(
        scheme.key, edition_of(scheme, judge.rules.digest), tuple(findings), checked, score, passed, shown, engines(),
        is_tighter(judge.variant, judge.shipped, on),
    )  # fmt: skip


def _judged(subject: Subject, judge: Judge, candidates: Iterator[Candidate], label: str) -> Iterator[Finding]:
    by_name = {layer.name: layer for layer in subject.layers}
    for candidate in candidates:
        verdict = judge.judge(candidate)
        if verdict is not None:
            yield _finding(candidate, *verdict, by_name.get(candidate.layer), label)


def _finding(candidate: Candidate, rule, message: str, layer: InspectedLayer | None, label: str) -> Finding:
    x, y, shape = _placed(candidate, layer)
    return Finding(
        code=rule.values["code"], check=label, layer=candidate.layer, message=message, severity=rule.outcome,
        fix=rule.values.get("fix", ""), feature=0 if candidate.row is None else candidate.row + 1,
        key=layer.key_of(candidate.row) if layer else "", field=candidate.field, value=candidate.value, x=x, y=y,
        geometry=shape, rule=rule.key,
    )  # fmt: skip


def _placed(candidate: Candidate, layer: InspectedLayer | None):
    """Place in the coordinates of the file, and what to draw in EPSG:4490."""
    shape = candidate.geometry
    if shape is None and layer is not None and candidate.row is not None:
        shape = layer.geometries[candidate.row] if candidate.x is None else shapely.Point(candidate.x, candidate.y)
    if shape is None or shape.is_empty or not numpy.isfinite(shapely.get_coordinates(shape)).all():
        return candidate.x, candidate.y, None
    x, y = (candidate.x, candidate.y) if candidate.x is not None else shapely.get_coordinates(shapely.centroid(shape))[0].tolist()
    if layer is None or layer.system is None:
        return x, y, None
    return x, y, layer.stored(numpy.array([shape], dtype=object))[0]


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """Findings by the label of their check, notices left out: they cost no marks."""
    return dict(Counter(each.check for each in findings if each.severity != NOTICE))


def score_of(scheme: Scheme, counts: Mapping[str, int]) -> Decimal:
    """100 less the marks of each check's findings (as `counted`, exceptions may be left out); never below 0."""
    taken = [min(check.most, check.marks * counts.get(check.label, 0)) for check in scheme.checks]
    return max(Decimal(0), Decimal(100) - sum(taken, Decimal(0)))


def edition_of(scheme: Scheme, rules_digest: str) -> str:
    """What an inspection rests on: the digest of the scheme and of the edition of its rule set."""
    return f"{scheme.digest[:16]}-{rules_digest[:16]}"


def engines() -> dict[str, str]:
    """Versions of everything that could change a result."""
    import pyogrio

    return {"guitu": ENGINE_VERSION, "GEOS": shapely.geos_version_string, "GDAL": pyogrio.__gdal_version_string__}


def _plain(value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
