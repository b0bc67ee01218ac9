"""What a running portal knows beside its database: definitions, rules, partners, files.

Every session carries the office it was opened by, so that a command needs no global state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlmodel import Session

    from domain.coordinate_parameters import CoordinateParameters
    from domain.file_store import FileStore
    from domain.ports.partners import Partners
    from domain.rule_edition.folder import RuleFolders
    from domain.scale_out import ScaleOut
    from rules.case_type import Catalogue
    from rules.engine import RuleBook


def _test_parameters() -> CoordinateParameters:
    from domain.coordinate_parameters import (
        shipped,  # geodesy is loaded with the first office, not with this module
    )

    return shipped()


@dataclass
class Office:
    """The running portal's definitions and connections; one per process, shared by all its sessions."""

    catalogue: Catalogue
    book: RuleBook
    partners: Partners
    files: FileStore
    public_url: str = "http://127.0.0.1:8000"
    is_demo: bool = False
    partners_connected: bool = True
    """False while no address of the partners is set: messages to them wait."""
    rule_folders: RuleFolders | None = None
    """Where rule files lie and are written; None in tests that have no files."""
    scale_out: ScaleOut | None = None
    """The cluster for large spatial work; None computes everything here."""
    coordinates: CoordinateParameters = field(default_factory=_test_parameters)
    """Local coordinate systems with their parameters and control points: those of the city, or the test ones."""
    caches: dict[str, Any] = field(default_factory=dict)


def office_of(session: Session) -> Office:
    """The office that opened this session."""
    return session.info["office"]
