"""Help 帮助: the users' manuals as pages, the same text that lies in docs/manual."""

from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import NotFound
from domain.manual import Manual, manuals
from views import page
from views.shell import Crumb, Link


@dataclass(frozen=True)
class Chapter:
    """A heading of a manual with its place in the page."""

    id: str
    title: str


@dataclass(frozen=True)
class ContentsPage:
    """The context of help/contents.html."""

    manuals: tuple[Manual, ...]


@dataclass(frozen=True)
class ManualPage:
    """The context of help/manual.html."""

    manual: Manual
    manuals: tuple[Manual, ...]
    chapters: tuple[Chapter, ...]
    body: Markup


def contents(request: Request) -> Response:
    """All manuals, with whom they are for."""
    return page.render(request, "help/contents.html", ContentsPage(manuals()), title="帮助")


def manual(request: Request) -> Response:
    """One manual. Raises NotFound for a key there is not."""
    found = next((each for each in manuals() if each.key == request.path_params["key"]), None)
    if found is None:
        raise NotFound("没有这本手册。请从帮助目录进入。")
    chapters, body = _rendered(found.text())
    return page.render(
        request, "help/manual.html", ManualPage(found, manuals(), chapters, body), title=found.title,
        crumbs=(Crumb("帮助", Link("help", "帮助")), Crumb(found.title)),
    )  # fmt: skip


def _rendered(text: str) -> tuple[tuple[Chapter, ...], Markup]:
    """Headings and body as HTML; raw HTML in the text stays text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    chapters = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            chapters.append(Chapter(f"part-{len(chapters) + 1}", tokens[at + 1].content))
            token.attrSet("id", chapters[-1].id)
            token.attrSet("class", "rubric")
        _dress(token)
    return tuple(chapters), Markup(reader.renderer.render(tokens, reader.options, {}))


def _dress(token: Token) -> None:
    """Our own classes on what Markdown leaves plain."""
    if token.type == "table_open":
        token.attrSet("class", "data slim")
    elif token.type in ("fence", "code_block"):
        token.attrSet("class", "code")
