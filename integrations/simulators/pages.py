"""The pages of the simulators: Chinese, without script, plainly marked as samples."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_FOLDER = Path(__file__).with_name("templates")
_ENVIRONMENT = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)

STYLE_PATH = "/simulator.css"


def page(name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Answer a page made from a template."""
    headers = {
        "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    text = _ENVIRONMENT.get_template(name).render(style=STYLE_PATH, **context)
    return HTMLResponse(text, status_code=status, headers=headers)


def style() -> Response:
    """Answer the style sheet of these pages."""
    return Response((_FOLDER / "simulator.css").read_bytes(), media_type="text/css")
