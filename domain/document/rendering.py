"""Content to HTML and PDF. A preview goes the very same way as the final document: only the imprint differs.

WeasyPrint sets the pages. It gets our own style sheet and may fetch nothing: no network, no other file.
Equal content and imprint give equal bytes: the date in the file is that of the imprint.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain import format as wording
from domain.document.content import DocumentContent
from domain.errors import InvalidData

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "documents"
STYLE_SHEET = "official.css"

PREVIEW_NUMBER = "（签发时编号）"
PREVIEW_DATE = "（签发日期）"
PREVIEW_MARK = "预览件：尚未签发，不能作为凭证。签发后此处印核验码，编号与日期同时填入。"
UNSEALED_MARK = "本文书未加盖电子印章，是否真实、有效，以公开核验页面的登记为准。"


@dataclass(frozen=True, slots=True)
class Imprint:
    """What a preview and the final document differ in: number, date, mark, and the code with its address."""

    number: str
    dated: str
    mark: str
    code: str | None = None
    verify_url: str | None = None
    at: datetime | None = None

    @property
    def is_preview(self) -> bool:
        return self.code is None


def preview_imprint(number: str = PREVIEW_NUMBER) -> Imprint:
    """The imprint of a preview; `number` may be the pattern's preview, or empty for unnumbered documents."""
    return Imprint(number, PREVIEW_DATE, PREVIEW_MARK)


def final_imprint(number: str, on: date, code: str, verify_url: str, at: datetime) -> Imprint:
    """The imprint of a document as issued, not sealed."""
    dated = wording.date_formal(on).replace(" ", "")
    return Imprint(number, dated, UNSEALED_MARK, spaced_code(code), verify_url, at)


def spaced_code(code: str) -> str:
    """A verification code in groups of four, as printed: ABCD-EFGH-JKLM."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def render_html(content: DocumentContent, imprint: Imprint, style_sheet: str = STYLE_SHEET) -> str:
    """The document as a page; `style_sheet` is the address of official.css, empty for none."""
    template = _environment().get_template(f"{content.template}.html")
    return template.render(content=content, imprint=imprint, style_sheet=style_sheet, qr=_qr(imprint.verify_url))


def render_pdf(content: DocumentContent, imprint: Imprint) -> bytes:
    """The document as PDF with tags for screen readers, fonts embedded.

    Raises InvalidData if a template asks for anything from outside.
    """
    # Loaded with the first document: the library takes a third of the whole start of the portal.
    from domain.document import pdf

    page = render_html(content, imprint, style_sheet="")
    try:
        return pdf.written(page, FOLDER / STYLE_SHEET, _identifier(content, imprint))
    except pdf.OutsideAddress as error:
        raise InvalidData(f"文书模板 {content.template} 引用了模板之外的内容：{error}。请从模板中删去这个引用。") from error


def _identifier(content: DocumentContent, imprint: Imprint) -> bytes:
    """The file identifier inside the PDF, from its content, so that it does not vary by run."""
    return hashlib.new("sm3", f"{content.digest()}{imprint.number}{imprint.code}".encode()).hexdigest()[:32].encode()


def _qr(verify_url: str | None) -> Markup | None:
    """The address as a QR code, level M (15 % may be unreadable), as inline SVG."""
    if verify_url is None:
        return None
    return Markup(segno.make(verify_url, error="m", micro=False).svg_inline(border=0, svgclass="qr", lineclass=None))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
