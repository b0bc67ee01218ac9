"""The one door from tasks to reading, schemes, the check itself, certificates and the intake of layers."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlmodel import Session

from domain.command import Work
from domain.coordinate_transformation import load_local_systems
from domain.errors import InvalidData, NotFound
from domain.inspection import InspectionResult
from domain.inspection.task.tables import InspectionRun, InspectionTask
from domain.layer import FeatureData, LayerDefinition, layer_definitions
from domain.office import Office, office_of
from domain.portal_clock import today
from domain.spatial_file import FileLayer, SpatialFile, read_spatial_file
from domain.spatial_file import understood as read_in_words

MOST_MEMBERS = 200
"""Member files named on the page."""


def read(path: Path, file_name: str, declared_crs: str = "", encoding: str = "") -> SpatialFile:
    """Read a package as it was declared. Raises InvalidData, with file, reason and what to do."""
    return read_spatial_file(path, file_name, declared_crs or None, encoding or None, load_local_systems())


def understood(file: SpatialFile) -> dict[str, Any]:
    """What was read of a package, for the page on which a person confirms it."""
    said = read_in_words(file).as_json()
    return said | {"members": said["members"][:MOST_MEMBERS], "layers": [each | {"system": _system(each)} for each in said["layers"]]}


def _system(layer: Mapping[str, Any]) -> str:
    if not layer["geometry_type"]:
        return "—"
    return layer["system"] or (f"不能接受（文件写的是 {layer['crs_words']}）" if layer["crs_words"] else "文件没有写明，请选定")


def titles(session: Session) -> Mapping[str, str]:
    """Every scheme in force by key."""
    return {scheme.key: scheme.title for scheme in _schemes(session).values()}


def title_of(session: Session, key: str) -> str:
    """What a scheme is called; its key if it is no longer there."""
    return titles(session).get(key, key)


def require_scheme(session: Session, key: str) -> None:
    """Raise InvalidData for a scheme that there is not."""
    if key not in _schemes(session):
        raise InvalidData("请选择质检方案。", {"scheme": "请选择质检方案"})


def layer_titles(keys: Sequence[str]) -> list[str]:
    """What the layers of a plan are called."""
    return [layer_definitions()[key].title for key in keys if key in layer_definitions()]


def _schemes(session: Session) -> Mapping[str, Any]:
    from domain.inspection.scheme import schemes

    return schemes()


def _scheme(session: Session, key: str) -> Any:
    found = _schemes(session).get(key)
    if found is None:
        raise NotFound("没有这个质检方案，它可能已停用。请从方案配置列表进入。")
    return found


def inspect(
    office: Office, file: SpatialFile, task: InspectionTask, run: InspectionRun, on: date, tell: Callable[[str, float], None]
) -> InspectionResult:
    """Inspect a package by the edition of its scheme on a day, with the variant of the run; `tell` may end it."""
    raise NotImplementedError


def certificate(office: Office, run: InspectionRun, task: InspectionTask, result: InspectionResult) -> dict[str, Any]:
    """The certificate of a result."""
    raise NotImplementedError


def certificate_text(run: InspectionRun) -> str:
    """A kept certificate as the file that people download."""
    return json.dumps(run.certificate, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def score(work: Work, task: InspectionTask, run: InspectionRun, left: Mapping[str, int]) -> tuple[Decimal, Decimal]:
    """Score of what is left after exceptions, by the marks of the scheme; and the lowest that passes."""
    raise NotImplementedError


def lowest_score(session: Session, task: InspectionTask, run: InspectionRun) -> Decimal | None:
    """The lowest score that passes; None if the scheme is no longer there."""
    raise NotImplementedError


def checked_variant(work: Work, scheme: str, off: Sequence[str], parameters: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """A variant as it is kept. Raises InvalidData for a check or parameter that the scheme has not."""
    raise NotImplementedError


def scheme_page(session: Session, key: str) -> Mapping[str, Any]:
    """A scheme as the page shows it: title, basis, edition, lowest score, checks and parameters. Raises NotFound."""
    raise NotImplementedError


def verified(session: Session, document: Mapping[str, Any], digest: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """What can be said of a certificate and a package at once: checks with their words, and what the certificate says."""
    raise NotImplementedError


def features_of(layer: FileLayer, definition: LayerDefinition, session: Session) -> list[FeatureData]:
    """The features of a file's layer for a layer of ours. Raises InvalidData by feature."""
    from domain.layer.intake import features_of as taken

    return taken(layer, definition, session)


__all__ = ["Office", "office_of", "today"]
