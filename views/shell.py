"""What every page needs around its own content: heading, navigation, person, notices, settings.

The portal fills a Shell from the request and puts it into the template context as `shell`; the base
templates read nothing else. Links are url names with their parameters, resolved by the template
environment, so that nobody glues URLs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Theme = Literal["light", "dark", "contrast"]
Density = Literal["comfortable", "compact"]
TextSize = Literal["normal", "large", "larger"]
Tone = Literal["info", "good", "warn", "bad"]


@dataclass(frozen=True)
class Link:
    """A named place: url name, words, parameters, and what is said about it in a list of links."""

    url_name: str
    label: str
    params: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    is_current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Crumb:
    """One step of the path above the title; the last one has no link."""

    label: str
    link: Link | None = None


@dataclass(frozen=True)
class Notice:
    """A message at the top of the page: bold first sentence, then what to do."""

    tone: Tone
    lead: str
    text: str = ""
    link: Link | None = None


@dataclass(frozen=True)
class Person:
    """Who is signed in: name, the post or unit acted for, and the links of the account menu."""

    name: str
    acts_as: str = ""
    links: tuple[Link, ...] = ()
    sign_out: str | None = None  # url name of the POST that signs out


@dataclass(frozen=True)
class DistrictSwitch:
    """The district an official works in, and the others that may be chosen."""

    current: str
    choices: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Search:
    """The search box in the header: a GET form with one field."""

    url_name: str
    label: str
    value: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Shell:
    """Everything the base templates read. Only the title is required.

    Title is the window title before 「· 规图」. `today` is the portal's date (demo date included).
    `degraded` holds one sentence per outside service that is down. `demo_date` is set only when an
    administrator of a demo database moved the date; `is_demo` alone shows that data are made up.
    """

    title: str
    audience: Literal["public", "bench"] = "public"  # which base template a shared page extends
    nav: tuple[Link, ...] = ()
    crumbs: tuple[Crumb, ...] = ()
    person: Person | None = None
    sign_in: Link | None = None
    district: DistrictSwitch | None = None
    search: Search | None = None
    home: Link | None = None
    theme: Theme = "light"
    density: Density | None = None  # None: the density of the base template
    text_size: TextSize = "normal"
    csrf_token: str | None = None
    notices: tuple[Notice, ...] = ()
    degraded: tuple[str, ...] = ()
    is_demo: bool = False
    demo_date: date | None = None
    foot_links: tuple[Link, ...] = ()
    foot_text: str = ""
