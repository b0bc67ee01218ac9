"""The rule book: every edition of every rule set in force, loaded from folders, asked for decisions."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from .decision import Decision
from .fault import EditionUnknown, EngineDisagreement, Fault, MatcherRefused, NoEditionInForce, RuleSetMissing
from .matcher import MOST_RULES, Matcher, probe
from .note import NOTHING_KNOWN, Known
from .program import Judgement, Program
from .rule_set import RuleSet
from .rule_set_reader import Unread, read_content, read_rule_set, read_text
from .standing import Standing, StoredEdition, Track, standing_at, start_of
from .table import read_tables

RULES = Path(__file__).resolve().parent.parent
SCHEMES = "schemes"
"""The folder of schemes of inspection: no rule sets, though they lie beside them."""
FOLDERS = (RULES / "sets", RULES / "case_types")
BOTH, PYTHON = "both", "python"
NAMED_FILES = frozenset({"case_type.yaml", "form.yaml", "workflow.yaml", "documents.yaml", "cases.yaml"})


class CompiledSet:
    """One edition ready to decide: the evaluator, and the C matcher that must agree with it."""

    def __init__(self, rules: RuleSet, engine: str) -> None:
        self.rules, self.program = rules, Program(rules)
        self.matcher = Matcher(rules) if engine == BOTH and len(rules.rules) <= MOST_RULES else None

    def decide(self, facts: Mapping[str, Any], on: date, subject: str | None = None) -> Decision:
        """The decision. Raises InvalidFact, or EngineDisagreement when the engines differ."""
        judgement = self.program.judge(facts, on)
        if self.matcher is not None:
            self._agree(judgement)
        return Decision(self.rules, judgement, on, subject)

    def _agree(self, judgement: Judgement) -> None:
        matched = self.matcher.fired(judgement)
        told = {index for index, verdict in enumerate(judgement.verdicts) if verdict}
        if matched != told:
            keys = "、".join(self.rules.rules[index].key for index in sorted(matched ^ told))
            raise EngineDisagreement(
                f"两套引擎对「{self.rules.title}」的规则 {keys} 判断不一致，本次不给结论。请保留事实并联系规则维护人员"
            )


@dataclass(frozen=True)
class Shelf:
    """What is loaded at one moment; replaced whole by a reload."""

    editions: Mapping[tuple[str, str], tuple[Standing, ...]] = field(default_factory=dict)
    by_file: Mapping[str, CompiledSet] = field(default_factory=dict)
    by_digest: Mapping[str, Standing] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def tables_known(known: Known, faults: list[Fault], folder: Path = RULES / "tables") -> Known:
    """What is known, with the shared legal numbers of rules/tables added; their faults go to the list."""
    return replace(known, tables={**read_tables(folder, faults), **known.tables})


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """Rule set files under the paths: single files as named, folders searched for sets/*.yaml and any rules/ folder."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        inside = sorted(path.rglob("*.yaml")) if path.is_dir() else [path] if path.parent.name != SCHEMES else []
        found.update((file, None) for file in inside if path.is_file() or _is_rule_file(file, path))
    return list(found)


def _is_rule_file(file: Path, folder: Path) -> bool:
    """What the searched folder and those below it are called decides; where the portal itself lies does not."""
    parts = (folder.name, *file.relative_to(folder).parts)
    if "case_types" in parts:
        return "rules" in parts[parts.index("case_types") :]
    return file.name not in NAMED_FILES and not {"tables", "engine", SCHEMES} & set(parts)


class RuleBook:
    """Loads rule sets and decides. Set `engine` to "python" to do without the C engine.

    Editions come from the folders and from the records of the portal (`shelve`). Where there are records of a set,
    they alone say which edition is in force; its files are then a copy. `over` is a folder whose sets take the place
    of those with the same key in `folders`.
    """

    def __init__(
        self,
        folders: Sequence[Path] = FOLDERS,
        demo: bool = False,
        engine: str = BOTH,
        known: Known = NOTHING_KNOWN,
        tables: Path | None = None,
        over: Path | None = None,
        stored: Sequence[StoredEdition] = (),
        version: int = 0,
    ) -> None:
        if engine not in (BOTH, PYTHON):
            raise ValueError(f"RULE_ENGINE 应是 {BOTH} 或 {PYTHON}，实际是 {engine}")
        self.folders, self.demo, self.engine, self._given = tuple(map(Path, folders)), demo, engine, known
        self._tables = tables or RULES / "tables"
        self.over, self._stored, self._version = over, tuple(stored), version
        self._shelf = Shelf()
        self._compiled: dict[str, CompiledSet] = {}
        self._reloading = threading.Lock()
        self.reload()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was wrong with the files at the last load; the last good edition of those stays in force."""
        return self._shelf.faults

    def reload(self) -> tuple[Fault, ...]:
        """Read all files again; a broken file keeps the edition it had. Returns the faults."""
        with self._reloading:
            return self._reload()

    def shelve(self, stored: Sequence[StoredEdition], version: int) -> None:
        """Take over the recorded editions, each track in the order in which they began, all at once for every thread.

        `version` counts up with the records: what is older than what stands already is not taken.
        """
        with self._reloading:
            if version >= self._version:
                self._stored, self._version = tuple(stored), version
                self._reload()

    @property
    def version(self) -> int:
        """Which state of the records stands on the shelf."""
        return self._version

    def _reload(self) -> tuple[Fault, ...]:
        faults: list[Fault] = []
        self.known = tables_known(self._given, faults, self._tables)
        files = rule_files(folder for folder in self._places() if folder.exists())
        read = self._read(files, faults)
        kept = {
            file: self._shelf.by_file[file]
            for file in {fault.file for fault in faults}
            if file in self._shelf.by_file
        }
        by_file = self._without_clashes(self._not_shadowed({**read, **kept}), faults)
        stored = self._standing(faults)
        editions = _grouped([*_from_files(by_file.values()), *stored])
        by_digest = {standing.digest: standing for _name, standing in stored}
        self._shelf = Shelf(editions, by_file, by_digest, tuple(sorted(faults)))
        return self._shelf.faults

    def _places(self) -> list[Path]:
        return [*self.folders, *([self.over] if self.over else [])]

    def _not_shadowed(self, by_file: dict[str, CompiledSet]) -> dict[str, CompiledSet]:
        """Without the files of sets that are recorded, or that lie in the upper folder too."""
        recorded = {each.track for each in self._stored}
        above = {track_of(found.rules) for file, found in by_file.items() if self._is_above(file)}
        return {
            file: found
            for file, found in by_file.items()
            if track_of(found.rules) not in recorded and (self._is_above(file) or track_of(found.rules) not in above)
        }

    def _is_above(self, file: str) -> bool:
        return self.over is not None and Path(file).is_relative_to(self.over)

    def _standing(self, faults: list[Fault]) -> list[tuple[tuple[str, str], Standing]]:
        """The recorded editions; those in force and those to come are compiled at once, and left out if they cannot be."""
        fresh, refused = {}, set()
        for each in (stored for stored in self._stored if not stored.ended):
            try:
                fresh[each.file] = self._compiled.get(each.digest) or self._read_stored(each)
            except (Unread, MatcherRefused) as error:
                refused.add(each)
                faults.append(Fault(each.file, 1, "rules", str(error)))
        good = self._probed(fresh, faults)
        refused |= {each for each in self._stored if each.file in fresh and each.file not in good}
        return [((each.kind, each.key), self._stand(each)) for each in self._stored if each not in refused]

    def _read_stored(self, stored: StoredEdition) -> CompiledSet:
        """From the text as written; from the content if a shared table has changed its numbers since."""
        rules = read_text(stored.text, stored.file, self.known)
        if rules.digest != stored.digest:
            rules = read_content(stored.content, self.known)
        return CompiledSet(rules, self.engine)

    def _stand(self, stored: StoredEdition) -> Standing:
        def made() -> CompiledSet:
            if stored.digest not in self._compiled:
                try:
                    compiled = self._read_stored(stored)
                    probe([compiled.matcher] if compiled.matcher else [])
                except (Unread, MatcherRefused) as error:
                    raise EditionUnknown(f"「{stored.file}」存档的规则现在读不出：{error}。请联系规则维护人员") from error
                self._compiled[stored.digest] = compiled
            return self._compiled[stored.digest]

        return Standing(stored.effective_at, stored.until, stored.demo, stored.digest, made)

    def _read(self, files: Iterable[Path], faults: list[Fault]) -> dict[str, CompiledSet]:
        compiled: dict[str, CompiledSet] = {}
        for file in files:
            try:
                rules = read_rule_set(file, self.known)
                compiled[str(file)] = self._compiled.get(rules.digest) or CompiledSet(rules, self.engine)
            except Unread as unread:
                faults.extend(unread.faults)
            except MatcherRefused as refused:
                faults.append(Fault(str(file), 1, "rules", str(refused)))
        return self._probed(compiled, faults)

    def _probed(self, compiled: dict[str, CompiledSet], faults: list[Fault]) -> dict[str, CompiledSet]:
        fresh = {
            file: found
            for file, found in compiled.items()
            if found.matcher and found.rules.digest not in self._compiled
        }
        try:
            probe([found.matcher for found in fresh.values()])
            refused: dict[str, MatcherRefused] = {}
        except MatcherRefused:
            refused = _refused_alone(fresh)
        faults.extend(Fault(file, 1, "rules", str(reason)) for file, reason in refused.items())
        good = {file: found for file, found in compiled.items() if file not in refused}
        self._compiled.update((found.rules.digest, found) for found in good.values())
        return good

    def _without_clashes(
        self, by_file: dict[str, CompiledSet], faults: list[Fault]
    ) -> dict[str, CompiledSet]:
        clashes = edition_faults([found.rules for found in by_file.values()], holes=False)
        faults.extend(clashes)
        clashing = {fault.file for fault in clashes}
        before = self._shelf.by_file
        good = {file: before.get(file) if file in clashing else found for file, found in by_file.items()}
        return {file: found for file, found in good.items() if found is not None}

    def keys(self) -> list[tuple[str, str]]:
        """(kind, key) of every loaded rule set."""
        return sorted(self._shelf.editions)

    def editions(self, kind: str, key: str) -> list[RuleSet]:
        """Every loaded edition, the earliest first. Raises RuleSetMissing."""
        return [standing.compiled.rules for standing in self._found(kind, key)]

    def live(self, kind: str, key: str, at: datetime) -> list[RuleSet]:
        """The editions in force at a moment or beginning later, of both tracks. Raises RuleSetMissing."""
        found = self._found(kind, key)
        begun = {standing.demo: standing for standing in found if standing.effective_at <= at}
        return [
            standing.compiled.rules
            for standing in found
            if standing.effective_at > at or standing is begun.get(standing.demo)
        ]

    def rule_set(self, kind: str, key: str, on: date | datetime) -> RuleSet:
        """The edition in force at that moment, or at the end of that day. Raises RuleSetMissing or NoEditionInForce."""
        return self._in_force(kind, key, on).rules

    def has_edition(self, kind: str, key: str, on: date | datetime) -> bool:
        """True if some edition, of rules in earnest or of the demo, is in force then."""
        found = self._found(kind, key)
        return any(standing_at([each for each in found if each.demo is demo], on) for demo in (False, True))

    def facts_of(self, kind: str, key: str, on: date | datetime) -> tuple[str, ...]:
        """Keys of the facts that the edition in force reads."""
        return tuple(self.rule_set(kind, key, on).facts)

    def decide(
        self, kind: str, key: str, facts: Mapping[str, Any], on: date, subject: str | None = None
    ) -> Decision:
        """The decision of the edition in force on that day. Raises a RuleError when there is none to be made."""
        return self._in_force(kind, key, on).decide(facts, on, subject)

    def decide_edition(
        self, digest: str, facts: Mapping[str, Any], on: date, subject: str | None = None
    ) -> Decision:
        """The decision of a given edition, in force or not. Raises EditionUnknown unless loaded or adopted."""
        return self._edition(digest).decide(facts, on, subject)

    def holds(self, digest: str) -> bool:
        """True if the edition was compiled here before, so that it is known to compile."""
        return digest in self._compiled

    def _edition(self, digest: str) -> CompiledSet:
        if digest in self._compiled:
            return self._compiled[digest]
        if digest in self._shelf.by_digest:
            return self._shelf.by_digest[digest].compiled
        raise EditionUnknown(f"没有摘要为 {digest} 的规则版本。请先用存档的规则内容登记（adopt）")

    def adopt(self, content: str) -> str:
        """Make a stored edition (RuleSet.content) available to decide_edition; returns its digest. Raises Unread."""
        rules = read_content(content, self.known)
        if rules.digest not in self._compiled:
            compiled = CompiledSet(rules, self.engine)
            probe([compiled.matcher] if compiled.matcher else [])
            self._compiled[rules.digest] = compiled
        return rules.digest

    def _found(self, kind: str, key: str) -> tuple[Standing, ...]:
        found = self._shelf.editions.get((kind, key))
        if found is None:
            known = "、".join(other for of, other in self.keys() if of == kind) or "无"
            raise RuleSetMissing(
                f"没有类别为 {kind}、键为 {key} 的规则集（这一类已有：{known}）。请检查键的拼写和规则文件的错误清单"
            )
        return found

    def _in_force(self, kind: str, key: str, on: date | datetime) -> CompiledSet:
        found = self._found(kind, key)
        wanted = standing_at([each for each in found if each.demo], on) if self.demo else None
        chosen = wanted or standing_at([each for each in found if not each.demo], on)
        if chosen is None:
            raise NoEditionInForce(f"规则集 {key} 在 {on.isoformat()} 没有生效的版本。请核对各版本的起止日期")
        return chosen.compiled


def _refused_alone(fresh: Mapping[str, CompiledSet]) -> dict[str, MatcherRefused]:
    refused = {}
    for file, found in fresh.items():
        try:
            probe([found.matcher])
        except MatcherRefused as reason:
            refused[file] = reason
    return refused


def track_of(rules: RuleSet) -> Track:
    """The track on which the editions of this set follow one another."""
    return rules.kind.key, rules.key, rules.edition.demo


def _from_files(compiled: Iterable[CompiledSet]) -> list[tuple[tuple[str, str], Standing]]:
    return [((found.rules.kind.key, found.rules.key), _file_standing(found)) for found in compiled]


def _file_standing(found: CompiledSet) -> Standing:
    edition = found.rules.edition
    return Standing(start_of(edition.start), edition.until, edition.demo, found.rules.digest, lambda: found)


def _grouped(found: Iterable[tuple[tuple[str, str], Standing]]) -> dict[tuple[str, str], tuple[Standing, ...]]:
    """Editions by kind and key, in the order in which they began; those of one moment as they were given."""
    groups: dict[tuple[str, str], list[Standing]] = {}
    for name, standing in found:
        groups.setdefault(name, []).append(standing)
    return {name: tuple(sorted(group, key=lambda each: each.effective_at)) for name, group in groups.items()}


def edition_faults(sets: Collection[RuleSet], holes: bool = True) -> list[Fault]:
    """Editions of one key that overlap, leave days uncovered between them, or are of different kinds."""
    faults: list[Fault] = []
    by_key: dict[tuple[str, bool], list[RuleSet]] = {}
    for rules in sets:
        by_key.setdefault((rules.key, rules.edition.demo), []).append(rules)
    for group in by_key.values():
        ordered = sorted(group, key=lambda rules: (rules.edition.start, rules.file))
        for earlier, later in pairwise(ordered):
            faults.extend(_between(earlier, later, holes))
    return faults + _kind_faults(sets)


def _kind_faults(sets: Collection[RuleSet]) -> list[Fault]:
    first: dict[str, RuleSet] = {}
    faults = []
    for rules in sorted(sets, key=lambda rules: rules.file):
        other = first.setdefault(rules.key, rules)
        if other.kind.key != rules.kind.key:
            faults.append(
                Fault(
                    rules.file,
                    rules.lines["kind"],
                    "kind",
                    f"键 {rules.key} 在 {other.file} 里是 {other.kind.key}。同一个键只能是一类",
                )
            )
    return faults


def _between(earlier: RuleSet, later: RuleSet, holes: bool) -> list[Fault]:
    line, ends = later.lines["edition"], earlier.edition.until
    if ends is None or ends >= later.edition.start:
        until = "长期" if ends is None else ends.isoformat()
        return [
            Fault(later.file, line, "edition", f"与 {earlier.file} 的有效期重叠（到{until}）。请把前一版的 until 改为 "
                  f"{(later.edition.start - timedelta(days=1)).isoformat()}")
        ]  # fmt: skip
    if holes and ends + timedelta(days=1) < later.edition.start:
        return [
            Fault(
                later.file,
                line,
                "edition",
                f"与 {earlier.file} 之间有空档（{ends.isoformat()} 之后到 {later.edition.start.isoformat()} 之前）",
            )
        ]
    return []
