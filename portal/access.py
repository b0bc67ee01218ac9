"""Who may use a route: nobody by default; every route names its audience."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.errors import NotAllowed

View = Callable[[Request], Response]
AsksPartner = Callable[[Request], bool]


def never(request: Request) -> bool:
    """No request of this page asks a partner."""
    return False


def always(request: Request) -> bool:
    """Every request of this page may ask a partner."""
    return True


def when_asked(request: Request) -> bool:
    """Partners are asked only when a person wants it: `?ask=partners`."""
    return request.query_params.get("ask") == "partners"


def unless_autosaved(request: Request) -> bool:
    """A button may ask partners; the autosave, which htmx sends, never does."""
    return request.headers.get("HX-Request") != "true"


@dataclass(frozen=True, slots=True)
class Access:
    """An audience: everybody, everybody signed in, staff, applicants, or holders of certain roles."""

    name: str
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def needs_sign_in(self) -> bool:
        return self.name != "public"

    def check(self, actor: Actor) -> None:
        """Raise NotAllowed if this actor is not in the audience; signing in was checked before."""
        fits = {
            "public": lambda: True,
            "signed_in": lambda: True,
            "staff": lambda: not actor.is_applicant and bool(actor.grants),
            "applicants": lambda: actor.is_applicant,
            "roles": lambda: actor.has_role(*self.roles),
        }[self.name]()
        if not fits:
            raise NotAllowed("这个页面不对你的岗位开放。需要使用的，请联系本单位的系统管理员。")


PUBLIC = Access("public")
SIGNED_IN = Access("signed_in")
STAFF = Access("staff")
APPLICANTS = Access("applicants")


def roles(*keys: str) -> Access:
    """Holders of one of these roles."""
    return Access("roles", frozenset(keys))


@dataclass(frozen=True, slots=True)
class Page:
    """One row of the route table: a path, its name, its action, and who may use it."""

    path: str
    name: str
    view: View
    access: Access
    methods: tuple[str, ...] = ("GET",)
    is_machine: bool = False
    """Called by a machine (callback): signed by its own means, no cookie, no CSRF token."""
    largest_mb: int | None = None
    """Largest file in an upload to this route; None: no files."""
    asks_partner: AsksPartner = never
    """Whether a request may wait for an outside system: it then runs in a thread where its waiting holds up nobody else."""
