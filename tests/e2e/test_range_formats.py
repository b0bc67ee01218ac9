"""A range as the surveyor drew it: a drawing is uploaded, its system chosen, what reading noticed is seen, and it is kept."""

import re

import ezdxf
import shapely
from playwright.sync_api import expect

from domain.projection import from_storage, zone_system
from tests.e2e.land_steps import begin, patches

PUDONG, USAGE = "310115", "非建设项目国土空间用途管制"


def drawing(folder, shape: shapely.Polygon):
    """The outline of a shape in zone 40 as a drawing, with its number written inside and a corner marked."""
    document = ezdxf.new("R2010")
    flat = from_storage(shape, zone_system(40))
    document.modelspace().add_lwpolyline(list(flat.exterior.coords)[:-1], close=True, dxfattribs={"layer": "范围"})
    document.modelspace().add_text("样例一号", dxfattribs={"layer": "注记"}).set_placement(flat.representative_point().coords[0])
    document.modelspace().add_linear_dim(base=(0, 2), p1=(0, 0), p2=(3, 0)).render()
    path = folder / "样例范围.dxf"
    document.saveas(path)
    return path


def test_a_drawing_is_taken_with_a_chosen_system_and_says_what_was_left_out(portal, enter, tmp_path):
    page = enter("district_handler", PUDONG)
    begin(page, USAGE)
    file = drawing(tmp_path, shapely.get_parts(patches(portal, PUDONG, "耕地保护空间")[0])[0])
    page.get_by_role("link", name="上传范围").click()
    page.get_by_label("范围文件").set_input_files(file)
    page.get_by_label("坐标系").select_option("EPSG:4528")
    page.get_by_role("button", name="读取并核对").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("核对系统读到的范围")
    expect(page.get_by_text("DXF，UTF-8")).to_be_visible()
    expect(page.get_by_text(re.compile("没有读取的图元：DIMENSION 1 个"))).to_be_visible()
    page.get_by_role("button", name="确认，存入办件").click()
    expect(page.get_by_text(re.compile("第 40 带")).first).to_be_visible()


def test_what_is_no_range_is_refused_on_the_form(enter, tmp_path):
    page = enter("district_handler", PUDONG)
    begin(page, USAGE)
    file = tmp_path / "范围.kml"
    file.write_text("<kml><Document>", encoding="utf-8")
    page.get_by_role("link", name="上传范围").click()
    page.get_by_label("范围文件").set_input_files(file)
    page.get_by_role("button", name="读取并核对").click()
    expect(page.get_by_text(re.compile("不是合法的 XML")).first).to_be_visible()
