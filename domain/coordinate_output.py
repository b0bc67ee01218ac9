"""A coordinate table as files: the converted boundary points as 界址点 TXT, and the comparison as a workbook."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from domain.boundary_points import write_boundary_points
from domain.coordinate_table import FEWEST, CoordinateTable, Frame, ResidualCheck, TableRow
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData

HEADS = ("地块", "界址点号", "圈号", "源 X（北）", "源 Y（东）", "转换后 X（北）", "转换后 Y（东）", "经度", "纬度")
RESIDUAL_HEADS = ("对照点", "东向偏差（米）", "北向偏差（米）", "点位偏差（米）")
_MILLIMETRES, _DEGREES = "0.000", "0.000000000"


def as_boundary_file(table: CoordinateTable) -> bytes:
    """The converted points in the exchange form (GB18030), metres to 0.001; its header says of which parameters.

    Raises InvalidData where a ring has fewer points than a ring of the exchange form must have.
    """
    if not table.has_rings:
        raise InvalidData(f"界址点 TXT 每圈至少要有 {FEWEST} 个界址点。点数不够的，请下载 Excel。")
    made = table.converted
    header = {**made.header, "转换参数": table.mark or "同一基准换带，没有转换参数"}
    named = type(made)(made.parcels, made.system, header, made.local_system, made.encoding)
    return write_boundary_points(named, takes_local=True)


def as_workbook(table: CoordinateTable, check: ResidualCheck | None) -> bytes:
    """The comparison of all points, and of a local system the residuals at its control points (xlsx)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.xlsx"
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
        with xlsxwriter.Workbook(str(path), options) as book:
            _write_points(book, table)
            if check is not None and check.report is not None:
                _write_residuals(book, check)
        return path.read_bytes()


def _write_points(book: xlsxwriter.Workbook, table: CoordinateTable) -> None:
    sheet = book.add_worksheet("坐标对照表")
    bold, metres, degrees = (book.add_format(each) for each in ({"bold": True}, {"num_format": _MILLIMETRES}, {"num_format": _DEGREES}))
    start = 0
    for start, line in enumerate(heading(table), start=1):
        sheet.write_string(start - 1, 0, line)
    sheet.write_row(start, 0, HEADS, bold)
    sheet.set_column(0, 1, 18)
    sheet.set_column(3, 8, 17)
    for number, row in enumerate(table.rows, start=start + 1):
        sheet.write_row(number, 0, (row.parcel, row.name, row.ring))
        sheet.write_row(number, 3, [round(value, 3) for value in (*row.source, *row.target)], metres)
        sheet.write_row(number, 7, [round(row.longitude, 9), round(row.latitude, 9)], degrees)


def _write_residuals(book: xlsxwriter.Workbook, check: ResidualCheck) -> None:
    sheet = book.add_worksheet("对照点检验")
    metres = book.add_format({"num_format": _MILLIMETRES})
    sheet.write_string(0, 0, f"限差 {check.limit_m} 米，中误差 {check.report.root_mean_square_m:.3f} 米")
    sheet.write_row(1, 0, RESIDUAL_HEADS, book.add_format({"bold": True}))
    sheet.set_column(0, 3, 18)
    for number, each in enumerate(check.report.residuals, start=2):
        sheet.write_string(number, 0, each.name)
        sheet.write_row(number, 1, [round(value, 3) for value in (*each.differences_m, each.length_m)], metres)


def heading(table: CoordinateTable) -> Iterator[str]:
    """What stands above the points: both systems, and of which parameters the result is."""
    yield f"源坐标系：{frame_words(table.source)}"
    yield f"目标坐标系：{frame_words(table.target)}"
    if table.mark:
        yield f"转换参数：{table.mark}"


def frame_words(frame: Frame) -> str:
    """A plane as a person reads it."""
    return f"{frame.name}（北坐标 X、东坐标 Y，米）" if isinstance(frame, LocalSystem) else frame.title


def row_texts(row: TableRow) -> dict[str, str]:
    """A row as a page shows it: metres to the millimetre, degrees to about 0.1 mm."""
    return {
        "parcel": row.parcel or "—", "name": row.name, "ring": str(row.ring), "source_x": f"{row.source[0]:.3f}",
        "source_y": f"{row.source[1]:.3f}", "x": f"{row.target[0]:.3f}", "y": f"{row.target[1]:.3f}",
        "longitude": f"{row.longitude:.9f}", "latitude": f"{row.latitude:.9f}",
    }  # fmt: skip
