"""Rendering: preview equals final but for number, date and mark; nothing is fetched; every character is there."""

import io
import shutil
import subprocess
from datetime import date
from pathlib import Path

import html5lib
import jinja2
import pytest
from pypdf import PdfReader

from domain.document import rendering
from domain.document.content import DocumentContent, Opinion, Row
from domain.document.form_print import application_form, entries_table, opinion_sheet, section
from domain.document.rendering import (
    PREVIEW_DATE,
    PREVIEW_MARK,
    UNSEALED_MARK,
    final_imprint,
    preview_imprint,
    render_html,
    render_pdf,
)
from domain.errors import InvalidData
from tests.domain.document_samples import AT, RARE_NAME, reminder, values

URL = "https://portal.example/verify/ABCDEFGHJKMN"
NUMBER = "沪规划资源管〔2026〕0001号"
FINAL = final_imprint(NUMBER, date(2026, 11, 21), "ABCDEFGHJKMN", URL, AT)
PREVIEW = preview_imprint("沪规划资源管〔2026〕□□□□号")


def text_of(pdf: bytes) -> list[list[str]]:
    return [page.extract_text().splitlines() for page in PdfReader(io.BytesIO(pdf)).pages]


def samples() -> dict[str, DocumentContent]:
    part = section("建设项目（样例）", [("用地单位", "样例公司"), ("备注", "")],
                   [entries_table("宗地", ["编号", "面积（平方米）"], [["310118-001", "100.00"]], [False, True])])
    opinion = Opinion("审理", "符合规划条件，拟同意。", RARE_NAME, "2026-11-20 09:30")
    permit = DocumentContent("permit", "建设用地规划许可证", issuer="样例局", paragraphs=("经审核，颁发此证。",),
                             rows=(Row("用地单位", "样例公司"),), enclosures=("宗地图",))
    return {
        "demand": reminder().compose(values()),
        "notice": reminder(template="notice", heading="red").compose(values()),
        "permit": permit,
        "form": application_form("用地申请表", "", [part], ["授权委托书", "宗地图"], "本单位保证内容真实。"),
        "summary": opinion_sheet("用地审批单", "样例局", [part], [opinion]),
    }


@pytest.mark.parametrize("template", samples())
def test_preview_has_the_lines_and_pages_of_the_final_but_number_date_and_mark(template):
    content = samples()[template]
    drafts, finals = text_of(render_pdf(content, PREVIEW)), text_of(render_pdf(content, FINAL))
    assert len(drafts) == len(finals)
    for draft, final in zip(drafts, finals, strict=True):
        own = {PREVIEW.number, PREVIEW_DATE, PREVIEW_MARK}
        other = {NUMBER, "2026年11月21日", UNSEALED_MARK, "核验码：ABCD-EFGH-JKMN（扫描二维码，或在核验页面填写）", URL}
        assert [line for line in draft if line not in own] == [line for line in final if line not in other]
    spoken = {line for page in finals for line in page}
    assert {NUMBER, "2026年11月21日", UNSEALED_MARK, URL} <= spoken
    assert {PREVIEW.number, PREVIEW_DATE, PREVIEW_MARK} <= {line for page in drafts for line in page}


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm（poppler-utils）未安装")
def test_preview_differs_on_paper_only_in_the_boxes_of_number_date_and_mark(tmp_path: Path):
    from PIL import Image, ImageChops

    content, pictures = samples()["permit"], []
    for name, imprint in (("preview", PREVIEW), ("final", FINAL)):
        (tmp_path / f"{name}.pdf").write_bytes(render_pdf(content, imprint))
        command = ["pdftoppm", "-r", "40", "-png", "-singlefile", f"{name}.pdf", name]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
        pictures.append(Image.open(tmp_path / f"{name}.png").convert("L"))
    changed = ImageChops.difference(*pictures).point(lambda shade: 255 if shade > 40 else 0)
    rows = {y for y in range(changed.height) if changed.crop((0, y, changed.width, y + 1)).getbbox()}
    bands = [y for y in sorted(rows) if y - 1 not in rows and y - 2 not in rows and y - 3 not in rows]
    assert 3 <= len(bands) <= 6  # number; date; mark with code and its lines
    assert len(rows) < changed.height / 4


def test_equal_input_gives_equal_bytes():
    content = samples()["permit"]
    assert render_pdf(content, FINAL) == render_pdf(content, FINAL)


def test_rare_characters_of_names_are_printed_and_their_fonts_embedded():
    reader = PdfReader(io.BytesIO(render_pdf(samples()["summary"], FINAL)))
    assert RARE_NAME in "".join(page.extract_text() for page in reader.pages)
    fonts = {font.get_object()["/BaseFont"]: font.get_object() for page in reader.pages
             for font in page["/Resources"]["/Font"].values()}
    assert fonts
    for font in fonts.values():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(key.startswith("/FontFile") for key in descriptor)


def test_file_says_its_title_date_and_language_and_is_tagged():
    reader = PdfReader(io.BytesIO(render_pdf(samples()["permit"], FINAL)))
    assert reader.metadata.title == "建设用地规划许可证"
    assert reader.metadata.creation_date == AT
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_heads_of_a_long_table_are_repeated_on_every_page():
    pages = text_of(render_pdf(samples()["demand"], FINAL))
    with_rows = [page for page in pages if any(line.startswith("310118-") for line in page)]
    assert len(with_rows) > 1
    assert all("宗地编号 面积" in page for page in with_rows)


def test_pages_are_numbered():
    pages = text_of(render_pdf(samples()["demand"], FINAL))
    assert all(f"— {count} —" in page for count, page in enumerate(pages, 1))
    assert "第 1 页，共 1 页" in text_of(render_pdf(samples()["permit"], FINAL))[0]


@pytest.mark.parametrize("template", samples())
def test_page_is_valid_and_what_people_wrote_stays_text(template):
    content = samples()[template]
    hostile = DocumentContent.from_json(content.to_json() | {"title": "<img src=x onerror=alert(1)>&"})
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(render_html(hostile, FINAL))
    assert tree.find(".//img") is None
    assert "<img src=x" in "".join(tree.find(".//h1").itertext())


@pytest.mark.parametrize(
    "address", ["https://outside.example/a.png", "file:///etc/hostname", "official.css", "ftp://outside.example/x.png"]
)
def test_template_that_asks_for_anything_outside_is_refused(monkeypatch, address):
    loader = jinja2.DictLoader({"permit.html": f'<!DOCTYPE html><title>x</title><p><img alt="" src="{address}">'})
    monkeypatch.setattr(rendering, "_environment", lambda: jinja2.Environment(loader=loader, autoescape=True))
    with pytest.raises(InvalidData, match="引用了模板之外的内容"):
        render_pdf(samples()["permit"], FINAL)


def test_only_documents_that_are_letters_with_a_red_head_have_one():
    pages = {name: render_html(content, FINAL) for name, content in samples().items()}
    assert 'class="rule red"' in pages["notice"]
    assert 'class="rule letter"' in pages["demand"]
    assert all("rule red" not in pages[name] and "rule letter" not in pages[name] for name in ("permit", "form", "summary"))


def test_row_that_does_not_fit_its_table_is_refused():
    with pytest.raises(ValueError, match="row 2"):
        entries_table("宗地", ["编号", "面积"], [["1", "2"], ["3"]])


def test_contract_of_130_fields_prints_every_one_of_them():
    parts = [section(f"第{part}部分（样例）", [(f"字段{part}-{row}", "人民币壹佰贰拾叁万元整，" * 3) for row in range(13)])
             for part in range(10)]
    contract = application_form("国有建设用地使用权出让合同（样例）", "样例局", parts)
    lines = {line for page in text_of(render_pdf(contract, FINAL)) for line in page}
    assert {f"字段{part}-{row}" for part in range(10) for row in range(13)} <= {line.split(" ")[0] for line in lines}
