"""The gallery of components: every macro with its parameters and examples, drawn by the real templates.

The examples in templates/components/<name>.yaml feed this page, the HTML test and the axe test. The
page is for officials and maintainers; the route table decides who may see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import get_args

import yaml
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from views.problem import Problem
from views.shell import Crumb, Density, Link, Person, Shell, TextSize, Theme

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "components"


@dataclass(frozen=True)
class Example:
    """One call of a macro: its arguments, the text of a call block, and how to frame it."""

    title: str
    call: Mapping[str, object]
    body: str | None = None
    compact: bool = False
    wrap: str | None = None  # an element that must surround it, e.g. select around options


@dataclass(frozen=True)
class MacroExamples:
    """One macro: what it is for, what its parameters mean, and its examples."""

    name: str
    meaning: str
    parameters: Mapping[str, str]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Component:
    """One file of components with its macros."""

    key: str
    title: str
    meaning: str
    macros: tuple[MacroExamples, ...]


@dataclass(frozen=True)
class GalleryPage:
    """The context of gallery/index.html."""

    shell: Shell
    components: tuple[Component, ...]
    sections: list[dict[str, object]]
    switches: list[dict[str, object]] = field(default_factory=list)


class _ExampleLoader(yaml.SafeLoader):
    """YAML with the few value types that components take: links, crumbs, a person, markup, a problem."""


def _mapping(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, object]:
    return loader.construct_mapping(node, deep=True)


def _crumb(loader: yaml.SafeLoader, node: yaml.Node) -> Crumb:
    given = _mapping(loader, node)
    return Crumb(given["label"], Link(**given["link"]) if "link" in given else None)


def _person(loader: yaml.SafeLoader, node: yaml.Node) -> Person:
    given = _mapping(loader, node)
    return Person(**{**given, "links": tuple(Link(**link) for link in given.get("links", ()))})


_ExampleLoader.add_constructor("!link", lambda loader, node: Link(**_mapping(loader, node)))
_ExampleLoader.add_constructor("!crumb", _crumb)
_ExampleLoader.add_constructor("!person", _person)
_ExampleLoader.add_constructor("!problem", lambda loader, node: Problem(**_mapping(loader, node)))
# Markup only from our own files in the repository, never from a person's input.
_ExampleLoader.add_constructor("!html", lambda loader, node: Markup(loader.construct_scalar(node)))


@lru_cache(maxsize=1)
def components(folder: Path = FOLDER) -> tuple[Component, ...]:
    """All components with their examples, in the order of their file names."""
    return tuple(_component(file) for file in sorted(folder.glob("*.yaml")))


def _component(file: Path) -> Component:
    given = yaml.load(file.read_text("utf-8"), Loader=_ExampleLoader)
    macros = tuple(
        MacroExamples(name, macro["meaning"], macro["parameters"],
                      tuple(Example(**example) for example in macro["examples"]))
        for name, macro in given["macros"].items()
    )
    return Component(file.stem, given["title"], given["meaning"], macros)


def show_gallery(request: Request) -> HTMLResponse:
    """The gallery in the theme, density and text size of the query string."""
    theme = _chosen(request, "theme", get_args(Theme))
    density = _chosen(request, "density", get_args(Density))
    text_size = _chosen(request, "text_size", get_args(TextSize))
    page = GalleryPage(
        shell=Shell("组件", theme=theme, density=density, text_size=text_size,
                    foot_text="示例中的人名、单位、编号与数字均为虚构"),
        components=components(),
        sections=[{"items": [{"label": part.title, "href": f"#{part.key}"} for part in components()]}],
        switches=_switches(theme, density, text_size),
    )
    return HTMLResponse(request.app.state.templates.render("gallery/index.html", vars(page)))


def _chosen(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    """The value of a query parameter when it is one of the allowed, else the first of them."""
    value = request.query_params.get(name)
    return value if value in allowed else allowed[0]


def _switches(theme: str, density: str, text_size: str) -> list[dict[str, object]]:
    def choices(words: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"value": value, "label": label} for value, label in words.items()]

    return [
        {"name": "theme", "label": "配色", "kind": "select", "value": theme, "blank": None,
         "choices": choices({"light": "浅色", "dark": "深色", "contrast": "高对比"})},
        {"name": "density", "label": "密度", "kind": "select", "value": density, "blank": None,
         "choices": choices({"comfortable": "宽松", "compact": "紧凑"})},
        {"name": "text_size", "label": "字号", "kind": "select", "value": text_size, "blank": None,
         "choices": choices({"normal": "标准", "large": "大", "larger": "更大"})},
    ]
