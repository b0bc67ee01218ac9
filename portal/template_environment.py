"""The Jinja2 environment of the portal: escaping, strict names, filters, URLs by name, fragments by block.

One `Templates` object serves all threads: it holds no state of a request. Whatever a template needs
from the request is in its context (`shell` first of all), never in the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.bccache import Bucket
from jinja2.runtime import Macro
from jinja2_fragments import render_block

from domain import format as wording
from portal.assets import asset_url
from views import ruler
from views.shell import Link

FOLDER = Path(__file__).resolve().parent.parent / "templates"

UrlFor = Callable[..., str]

# Filters whose result depends on the value alone; the dated ones are bound to the portal's clock below.
FILTERS = {
    "area_m2": wording.area_m2,
    "hectares": wording.hectares,
    "mu": wording.mu,
    "money": wording.money,
    "money_wan": wording.money_wan,
    "thousands": wording.thousands,
    "signed": wording.signed,
    "percent": wording.percent,
    "file_size": wording.file_size,
    "moment": wording.moment,
    "date_formal": wording.date_formal,
    "capital_money": wording.capital_money,
    "capital_date": wording.capital_date,
}


class CompiledTemplates(BytecodeCache):
    """What was compiled in this process, by template and source: a second app compiles nothing anew."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code of this very source, if it is there."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a source."""
        self._kept[bucket.key, bucket.checksum] = bucket.code


COMPILED = CompiledTemplates()


class Components:
    """Every macro of templates/components by name, for templates as `ui`: `{{ ui.light("green", "正常") }}`.

    A global and not an import, because a block rendered alone does not see the imports of its page.
    Names that start with an underscore stay private to their file. Raises ValueError at start-up when
    two files define one name, AttributeError for a name nobody defines.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._files: dict[str, str] = {}
        self._kept: dict[str, Macro] = {}

    def load(self) -> None:
        """Finds the macros of all component files; to be called when the environment is complete."""
        files = self._environment.list_templates(filter_func=_is_component)
        for file in files:
            for name in self._macros(file):
                if name in self._files:
                    raise ValueError(f"组件 {name} 在 {self._files[name]} 与 {file} 里各有一个。请改掉其中一个的名字。")
                self._files[name] = file

    def names(self) -> dict[str, str]:
        """Component names and the files that define them."""
        return dict(self._files)

    def macro(self, name: str) -> Macro:
        """The macro of this name; looked up once, unless templates are read again when they change."""
        found = self._kept.get(name)
        if found is not None:
            return found
        try:
            found = self._macros(self._files[name])[name]
        except KeyError:
            raise AttributeError(f"没有名为 {name} 的组件。可用的有：{'、'.join(sorted(self._files))}。") from None
        if not self._environment.auto_reload:
            self._kept[name] = found
        return found

    def __getattr__(self, name: str) -> Macro:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.macro(name)

    def _macros(self, file: str) -> dict[str, Macro]:
        module = vars(self._environment.get_template(file).module)
        return {name: value for name, value in module.items()
                if isinstance(value, Macro) and not name.startswith("_")}


def _is_component(name: str) -> bool:
    return name.startswith("components/") and name.endswith(".html")


class Templates:
    """Renders pages and fragments. `url_for(name, **path_params)` is the app's; `today` its clock."""

    def __init__(
        self, url_for: UrlFor, today: Callable[[], date], folder: Path = FOLDER, auto_reload: bool = False
    ) -> None:
        self._url_for = url_for
        self._today = today
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=1000,
            bytecode_cache=COMPILED,
            auto_reload=auto_reload,
            extensions=["jinja2.ext.do"],
        )
        self.environment.filters.update(FILTERS)
        self.environment.filters["date_sentence"] = lambda day: wording.date_sentence(day, self._today())
        self.environment.filters["date_table"] = lambda day: wording.date_table(day, self._today())
        self.environment.globals.update(
            url=self.url, href=self.href, asset=asset_url,
            small_ruler=ruler.small_ruler, big_rulers=ruler.big_rulers,
        )
        self.components = Components(self.environment)
        self.environment.globals["ui"] = self.components
        self.components.load()

    def render(self, name: str, context: Mapping[str, object], block: str | None = None) -> str:
        """The page, or one named block of it for htmx.

        Raises jinja2.UndefinedError for a name missing in the context, TemplateNotFound for a missing file and
        BlockNotFoundError for a missing block.
        """
        if block is None:
            return self.environment.get_template(name).render(context)
        return render_block(self.environment, name, block, **context)

    def has(self, name: str) -> bool:
        """Whether a template of this name exists, for screens that may have one of their own."""
        try:
            self.environment.loader.get_source(self.environment, name)
        except TemplateNotFound:
            return False
        return True

    def url(self, name: str, query: Mapping[str, object] | None = None, **params: object) -> str:
        """The path of a named route with its parameters and an optional query string."""
        path = str(self._url_for(name, **params))
        given = {key: value for key, value in (query or {}).items() if value is not None}
        return f"{path}?{urlencode(given, doseq=True)}" if given else path

    def href(self, link: Link) -> str:
        """The path of a Link from views.shell."""
        return self.url(link.url_name, link.query, **link.params)
