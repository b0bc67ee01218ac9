"""Exports of thematic maps: small ones at once, large ones as a job with the rights that its owner has when it runs."""

from collections.abc import Mapping
from typing import Any

from domain import portal_clock
from domain.command import Work, command
from domain.errors import InvalidData
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.thematic_map.making import HEAVY, ThematicMap, make
from domain.thematic_map.saved import makers
from domain.thematic_map.spec import MapSpec, read_spec
from domain.thematic_map.words import label_of
from domain.thematic_map.writing import FORMATS, written

KIND = "thematic_map"
_STEPS = 3


def is_heavy(feature_count: int, kind: str) -> bool:
    """True if an export is better made by a job: a picture or print of very many features."""
    return feature_count > HEAVY and kind in ("pdf", "png")


def file_name(made: ThematicMap, kind: str) -> str:
    """What the file is called."""
    plain = "".join(each for each in made.content.title if each.isalnum() or each in "（）-—") or "专题图"
    return f"{plain[:60]}.{kind}"


@command("thematic_map.export", allow=makers)
def request_export(work: Work, spec: MapSpec, kind: str) -> Job:
    """Queue an export. Raises InvalidData for a format that there is not."""
    if kind not in FORMATS:
        raise InvalidData("没有这种导出格式。请从 PDF、PNG、SVG、xlsx 里选。")
    title = spec.title or f"{label_of('kinds', spec.kind)}专题图"
    return enqueue(work, KIND, f"导出{title}（{kind.upper()}）", {"spec": spec.to_texts(), "format": kind})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Select, draw, write; told between the three."""
    spec, kind = read_spec(arguments["spec"]), arguments["format"]
    progress.tell(0, _STEPS, "读取图层要素")
    with progress.reading() as session:
        made = make(session, progress.owner(session), spec)
        today = portal_clock.today(session)
    progress.tell(1, _STEPS, f"绘制 {len(made.selection.placed):,} 个要素")
    content = written(made, kind)
    progress.tell(2, _STEPS, "存放文件")
    name = file_name(made, kind)
    received = progress.office.files.put_bytes(content, name, allowed=(kind,))
    return JobResult({"features": len(made.selection.placed), "edition": made.selection.edition, "on": today.isoformat()}, received, name)
