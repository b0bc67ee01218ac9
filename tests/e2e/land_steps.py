"""What journeys about farmland have in common: drafts, sheets of plots, ranges, acts, and what the demo map offers."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import shapely
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from domain.hold import Hold
from domain.layer import Feature, Layer
from portal.database import Database
from tests.e2e.running import RunningPortal

CASE = re.compile(r".*/cases/\d+")


def free_plots(portal: RunningPortal, district: str, count: int) -> list[str]:
    """Numbers of some free plots of a district, the smallest first of those above one hectare."""
    held = select(Hold.object_key).where(col(Hold.ended_at).is_(None))
    found = _features(portal, "annual_farmland", district, Feature.status == "可用", col(Feature.key).not_in(held))
    return [each.key for each in found[:count]]


def patches(portal: RunningPortal, district: str, protection: str) -> list[shapely.Geometry]:
    """The patches of a district under one sort of protection, the smallest first of those above one hectare."""
    found = _features(portal, "permanent_farmland", district)
    return [each.geometry for each in found if each.attributes["protection_type"] == protection]


def _features(portal: RunningPortal, layer: str, district: str, *more) -> list[Feature]:
    database = Database(portal.database_url or f"sqlite:///{portal.folder / 'portal.sqlite3'}")
    try:
        with database.reading() as session:
            statement = select(Feature).join(Layer, col(Layer.id) == Feature.layer_id).where(Layer.key == layer, *more)
            statement = statement.where(Feature.district_code == district, col(Feature.until_number).is_(None), Feature.area_m2 > 10_000)
            found = list(session.exec(statement.order_by(col(Feature.area_m2)).limit(200)).all())
            session.expunge_all()
            return found
    finally:
        database.dispose()


def range_file(folder: Path, *shapes: shapely.Geometry) -> Path:
    """A GeoJSON file in CGCS2000 with these polygons."""
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(each))} for each in shapes]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    path = folder / "样例范围.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return path


def filled_in(template: Path, folder: Path, district: str, numbers: Sequence[str]) -> Path:
    """The template that was handed out, with one row a plot."""
    book = openpyxl.load_workbook(template)
    for number in numbers:
        book["地块"].append([number, district])
    path = folder / "样例地块.xlsx"
    book.save(path)
    return path


def begin(page: Page, title: str) -> str:
    """Open a draft; its address."""
    start(page, title)
    page.wait_for_url(CASE)
    return page.url


def start(page: Page, title: str) -> None:
    page.goto("/cases/new")
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("button", name="发起，开始填写").click()
    page.wait_for_load_state()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).last.click()
    page.wait_for_load_state()


def upload_range(page: Page, button: str, file: Path, **fields: str) -> None:
    """What the system understood of the file is shown, then confirmed."""
    page.get_by_role("link", name=button).click()
    page.get_by_label("范围文件").set_input_files(file)
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="读取并核对").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("核对系统读到的范围")
    page.get_by_role("button", name="确认，存入办件").click()
    page.wait_for_load_state()


def take(page: Page, address: str) -> None:
    """Open a case, and take its step up if nobody has yet."""
    page.goto(address)
    if page.get_by_role("button", name="认领").count():
        page.get_by_role("button", name="认领").first.click()
        page.wait_for_load_state()


def act(page: Page, address: str, action: str, opinion: str = "同意（样例）") -> None:
    """Take the action of the step that waits for this person, through the question before it if there is one."""
    take(page, address)
    page.get_by_label("意见").first.fill(opinion)
    page.get_by_role("button", name=action, exact=True).click()
    page.wait_for_load_state()
    if re.search(r"/act/\w+$", page.url):
        page.get_by_role("button", name=action).click()
        page.wait_for_load_state()


def cell(page: Page, district: str, label: str) -> str:
    """What the first table of the books says of a district in a column."""
    row = page.locator("table.cards").first.get_by_role("row").filter(has=page.get_by_role("rowheader", name=district))
    return row.locator(f"[data-label='{label}']").inner_text()
