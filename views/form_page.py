"""What templates/cases/form/_form.html reads: a form with its buttons, errors and addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.form import FormError, SectionView


@dataclass(frozen=True, slots=True)
class FormButton:
    """A button below the form; `is_unchecked` lets the browser skip its own checks, as saving a draft does."""

    label: str
    name: str
    value: str
    kind: str = ""
    is_unchecked: bool = False


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form on a page: `action` takes the post, `autosave_url` the autosave (None: no autosave).

    `place_urls` maps a field path of type range or plots to the page where it is given; `version` is posted
    as `_version`. `is_compact` shows sections that cannot be edited as plain facts, as officials read them.
    """

    sections: tuple[SectionView, ...]
    action: str
    errors: tuple[FormError, ...] = ()
    buttons: tuple[FormButton, ...] = ()
    csrf_token: str | None = None
    version: int | None = None
    autosave_url: str | None = None
    place_urls: Mapping[str, str] = field(default_factory=dict)
    is_compact: bool = False
    error_lead: str = "改好后才能继续"
    saved_at: datetime | None = None
    """When the form was saved last, for the line beside the buttons."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Hidden inputs that come back with every post; their names begin with an underscore."""
