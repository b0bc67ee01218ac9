"""`portal overlay A B --by FIELD`: how much of A lies in each class of B, in m², without the web."""

import argparse
import json
from pathlib import Path

from domain.errors import PortalError
from domain.overlay import Overlay, overlay_areas
from domain.range_file import read_range
from domain.spatial_file.reading import ACCEPTED_WORDS
from domain.vector_file import read_vector
from portal.command_line import CommandRefused


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `overlay`."""
    parser = subparsers.add_parser("overlay", help="叠加分析", description="范围 A 落在图层 B 各类里的面积，单位平方米。")
    parser.add_argument("a", type=Path, metavar="A", help=f"范围：{ACCEPTED_WORDS}")
    parser.add_argument("b", type=Path, metavar="B", help="图层：格式同上，也可以是 .gdb 文件夹")
    parser.add_argument("--by", required=True, metavar="FIELD", help="B 中表示类别的字段")
    parser.add_argument("--crs", metavar="EPSG:4490", help="文件没有写坐标系时，在此声明（两个文件共用）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Overlay the two files; a file that cannot be read is refused with its reason."""
    try:
        extent = read_range(_content(arguments.a), arguments.a.name, arguments.crs).usable_geometry()
        features = read_vector(_present(arguments.b), arguments.b.name, arguments.crs).stored()
        found = overlay_areas(extent, features, arguments.by)
    except PortalError as refusal:
        raise CommandRefused(refusal.message) from refusal
    print(as_json(arguments.by, found) if arguments.json else as_text(found))
    return 0


def _present(path: Path) -> Path:
    """The path of a layer, which is read from where it lies: it may be large, or a folder."""
    if not path.exists():
        raise CommandRefused(f"文件 {path} 不存在。请核对路径。")
    return path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandRefused(f"文件 {path} 不能读取（{error.strerror}）。请核对路径。") from error


def as_json(by: str, found: Overlay) -> str:
    """{"by", "rows": [{"class", "area_m2"}], "total_m2", "residual_m2"}; areas as text, to keep them exact."""
    rows = [{"class": name, "area_m2": format(area, "f")} for name, area in found.by_class().items()]
    totals = {"total_m2": format(found.total_m2, "f"), "residual_m2": format(found.residual_m2, "f")}
    return json.dumps({"by": by, "rows": rows, **totals}, ensure_ascii=False)


def as_text(found: Overlay) -> str:
    """One line a class, the total, and what no feature covers."""
    lines = [f"{name or '（空）'}\t{area:f}" for name, area in found.by_class().items()]
    return "\n".join([*lines, f"合计\t{found.total_m2:f}", f"未覆盖\t{found.residual_m2:f}"])
