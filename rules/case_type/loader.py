"""Loads every case type below some folders; any fault in any file refuses the whole."""

from dataclasses import dataclass
from pathlib import Path

from rules.engine.document import Block, Series, UnreadableDocument, read_document
from rules.engine.fault import Fault

from .case_fact import case_facts_of
from .case_type import CaseType
from .case_type_reader import CaseTypeReader, read_edition
from .catalogue import Catalogue
from .entry import DefinitionFaults, Entry, Notes
from .flow_check import check_flow
from .form_reader import FormReader
from .known import Known
from .paper_reader import PaperReader
from .reference_check import ReferenceCheck, check_editions, check_links
from .workflow_reader import WorkflowReader, step_keys

FILES = ("case_type", "form", "workflow", "documents")
Loaded = tuple[CaseType, Entry]


def load_catalogue(roots: list[Path], known: Known) -> Catalogue:
    """Every case type in the folders below the roots. Raises DefinitionFaults with all that is wrong."""
    faults = [
        Fault(root.as_posix(), 1, "case_types", "没有这个文件夹。请核对事项文件夹的位置")
        for root in roots
        if not root.is_dir()
    ]
    loaded = [
        each
        for folder in _folders([root for root in roots if root.is_dir()])
        if (each := _load(folder, known, faults)) is not None
    ]
    check_editions(loaded)
    check_links(loaded)
    if faults:
        raise DefinitionFaults(faults)
    return Catalogue(case_type for case_type, _head in loaded)


def _folders(roots: list[Path]) -> list[Path]:
    """Folders of case types and of their older editions, oldest names first."""
    found = []
    for root in roots:
        for folder in sorted(
            each for each in root.iterdir() if each.is_dir() and not each.name.startswith((".", "_"))
        ):
            editions = folder / "editions"
            found += [folder, *(sorted(editions.iterdir()) if editions.is_dir() else [])]
    return found


@dataclass(frozen=True)
class _Folder:
    """The folder's files as entries; a file that cannot be read stands as an empty one."""

    path: Path
    heads: dict[str, Entry]
    notes: dict[str, Notes]


def _load(folder: Path, known: Known, faults: list[Fault]) -> Loaded | None:
    before = len(faults)
    opened = _open(folder, faults)
    if len(faults) > before:
        return None
    case_type = _read(opened, known)
    _check_folder(opened, case_type)
    if not opened.notes["workflow"].has_faults:
        check_flow(case_type.workflow, opened.notes["workflow"])
    # A field that could not be read would show again as an unknown name in every other file.
    if not opened.notes["form"].has_faults:
        ReferenceCheck(case_type, _reopened(opened), known).run()
    return case_type, opened.heads["case_type"]


def _open(folder: Path, faults: list[Fault]) -> _Folder:
    heads, notes = {}, {}
    for name in FILES:
        path = folder / f"{name}.yaml"
        notes[name] = Notes(path.as_posix(), faults)
        if not path.is_file():
            notes[name](1, name, f"事项文件夹 {folder.name} 缺少 {path.name}。请补上这个文件")
            continue
        try:
            heads[name] = Entry(read_document(path), "", notes[name])
        except UnreadableDocument as error:
            notes[name](error.line, name, error.message)
    return _Folder(folder, heads, notes)


def _reopened(opened: _Folder) -> dict[str, Entry]:
    """The same files for the second look; what the first look noted is not noted again (faults are a set)."""
    return {name: Entry(entry.block, "", entry.note) for name, entry in opened.heads.items()}


def _read(opened: _Folder, known: Known) -> CaseType:
    heads = opened.heads
    steps, start = step_keys(heads["workflow"].block), str(heads["workflow"].block.get("start"))
    forms = FormReader(heads["form"], known, case_facts_of(steps), start, steps)
    workflow = WorkflowReader(
        heads["workflow"], known, _section_keys(heads["form"].block), forms.names, forms.shown
    ).read()
    form = forms.read()
    materials, documents = PaperReader(
        heads["documents"], known, forms.names, forms.shown, start, steps
    ).read()
    return CaseTypeReader(heads["case_type"], known).read(
        form, workflow, materials, documents, opened.path.as_posix()
    )


def _section_keys(form: Block) -> tuple[str, ...]:
    sections = form.get("sections")
    found = (
        [each.get("key") for each in sections if isinstance(each, Block)]
        if isinstance(sections, Series)
        else []
    )
    return tuple(key for key in found if isinstance(key, str))


def _check_folder(opened: _Folder, case_type: CaseType) -> None:
    """The folder is named after the case type, or after the first day of an older edition."""
    root, is_old = opened.heads["case_type"], opened.path.parent.name == "editions"
    expected = opened.path.parent.parent.name if is_old else opened.path.name
    if case_type.key and case_type.key != expected:
        root.fault("key", f"key 是 {case_type.key}，文件夹名是 {expected}。两者要一致")
    if is_old and opened.path.name != read_edition(root.block).key:
        root.fault("edition", f"文件夹名是 {opened.path.name}，版本从 {case_type.edition.key} 起。两者要一致")
