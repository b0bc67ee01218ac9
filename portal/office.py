"""Making the office: rules, case types, partners and files, loaded and checked before the portal serves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import domain.effects.all
import domain.facts.all
from domain import dictionary, file_type, role
from domain.document.definition import TEMPLATES, DocumentDefinition
from domain.effects import EFFECTS
from domain.errors import InvalidData
from domain.exchange import wire
from domain.facts import PROVIDERS
from domain.file_store import FileStore
from domain.numbering import NumberPattern
from domain.office import Office
from domain.portal_clock import now
from domain.ports.partner import PARTNERS
from domain.rule_edition.folder import RuleFolders
from domain.rule_edition.shelf import Recorded
from domain.scale_out import ScaleOut
from integrations.connection import connect_partners
from integrations.signature import load_key
from portal import coordinates
from portal.settings import PROJECT_DIR, Settings
from rules.case_type import Known, KnownRuleSet, load_catalogue
from rules.engine import RuleBook

CASE_TYPES = PROJECT_DIR / "rules" / "case_types"
RULE_FOLDERS = (PROJECT_DIR / "rules" / "sets", CASE_TYPES)
PANELS = PROJECT_DIR / "templates" / "cases" / "panels"
NOTHING_RECORDED = Recorded()
OPERATIONS = frozenset(
    {"return", "correct", "transfer", "assist", "countersign", "suspend", "terminate", "withdraw"}
)


class RulesBroken(Exception):
    """Rule files cannot be read at start; each line names file, line, key and what was expected."""


def open_office(
    settings: Settings,
    *,
    case_types: Path = CASE_TYPES,
    rule_folders: tuple[Path, ...] = RULE_FOLDERS,
    recorded: Recorded = NOTHING_RECORDED,
) -> Office:
    """Load everything a running portal knows; `recorded` are the rule editions that its database keeps.

    Raises RulesBroken, DefinitionFaults or SettingsError. A broken file of a set that has a recorded edition stops nothing: the
    recorded one stays in force, and the fault is shown.
    """
    folders = _folders(settings, rule_folders)
    book = RuleBook(
        folders.shipped, demo=settings.demo, engine="python" if settings.rule_engine == "python" else "both",
        over=folders.city, stored=recorded.editions, version=recorded.version,
    )  # fmt: skip
    covered = {str(path) for name, path in folders.files().items() if name in recorded.files}
    if broken := [str(fault) for fault in book.faults if fault.file not in covered]:
        raise RulesBroken("\n".join(broken))
    catalogue = load_catalogue([case_types], known_names(book))
    return Office(
        catalogue=catalogue,
        book=book,
        partners=connect_partners(
            settings.partners_url, load_key(settings.var_dir / "partners.key"), simulated=settings.demo, observer=wire.note
        ),
        partners_connected=bool(settings.partners_url),
        rule_folders=folders,
        files=FileStore(settings.var_dir / "files", largest_bytes=settings.upload_max_bytes),
        public_url=settings.public_url,
        is_demo=settings.demo,
        coordinates=coordinates.load(settings),
        scale_out=ScaleOut(settings.scale_out_cluster, settings.scale_out_from) if settings.scale_out_cluster else None,
    )


def _folders(settings: Settings, shipped: tuple[Path, ...]) -> RuleFolders:
    """Where rules lie; a city whose folder holds the shipped ones reads and writes them there."""
    city = settings.rules_dir
    return RuleFolders(tuple(folder for folder in shipped if not folder.is_relative_to(city)), city)


def known_names(book: RuleBook) -> Known:
    """Every name that a case type may use."""
    assert domain.facts.all and domain.effects.all  # imported for their registrations
    return Known(
        roles=role.keys(),
        facts={name: provider.gives for name, provider in PROVIDERS.items()},
        effects=frozenset(EFFECTS),
        dictionaries=dictionary.defaults(),
        rule_sets=_rule_sets(book),
        document_templates=frozenset(TEMPLATES),
        panels=frozenset(path.stem for path in PANELS.glob("*.html")),
        operations=OPERATIONS,
        partners=frozenset(PARTNERS),
        formats=frozenset(file_type.FILE_TYPES),
        document_fault=_document_fault,
        number_fault=_number_fault,
    )


def _rule_sets(book: RuleBook) -> dict[str, KnownRuleSet]:
    found: dict[str, KnownRuleSet] = {}
    pairs = book.keys()
    for kind, key in pairs:
        editions = book.live(kind, key, now())
        facts = frozenset(name for edition in editions for name in edition.facts)
        given = (answer for edition in editions for rule in edition.rules for answer in (rule.outcome, rule.values.get("route")))
        found[key] = KnownRuleSet(kind, facts, frozenset(answer for answer in given if isinstance(answer, str)))
    return found


def _document_fault(entry: Mapping[str, Any]) -> str | None:
    try:
        DocumentDefinition.parse(entry)
    except InvalidData as fault:
        return fault.message
    return None


def _number_fault(pattern: str) -> str | None:
    try:
        NumberPattern.parse(pattern)
    except InvalidData as fault:
        return fault.message
    return None
