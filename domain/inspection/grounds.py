"""What a result rests on, beside the package: the scheme with its lists and the edition of its rule set, as one zip.

A certificate names both by digest; with this zip anyone inspects again by just them, though rules have changed since.
"""

import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from domain.errors import InvalidData, NotFound
from domain.inspection.inspecting import edition_of
from domain.inspection.judging import KIND
from domain.inspection.scheme import LISTS, Scheme, read_schemes
from domain.zip_archive import unpack
from rules.case_type.entry import DefinitionFaults
from rules.engine import RuleBook, RuleSet, Unread, read_content

RULES = "rules.json"
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OneEdition:
    """A rule book of a single edition: in force on every day, whatever was published since."""

    rules: RuleSet

    def rule_set(self, kind: str, key: str, on: date) -> RuleSet:
        """The edition. Raises InvalidData if it is of another rule set."""
        if (kind, key) != (self.rules.kind.key, self.rules.key):
            raise InvalidData(f"规则包里的规则集是 {self.rules.key}，方案要的是 {key}。请选择与证书一起下载的规则包。")
        return self.rules


@dataclass(frozen=True, slots=True)
class Grounds:
    """A scheme and the edition of its rule set."""

    scheme: Scheme
    rules: RuleSet

    @property
    def edition(self) -> str:
        """As certificates name it."""
        return edition_of(self.scheme, self.rules.digest)


def grounds_of(book: RuleBook, scheme: Scheme, edition: str) -> Grounds:
    """What a certificate's `edition` rests on, in force or not. Raises NotFound if scheme or rules are no longer there."""
    found = next((each for each in book.editions(KIND, scheme.rules) if edition_of(scheme, each.digest) == edition), None)
    if found is None:
        raise NotFound(
            f"出证时的质检方案或规则版本（{edition}）已不在本系统里，不能给出规则包。证书仍可核验；要重跑，请用现行的方案重新质检。"
        )
    return Grounds(scheme, found)


def write_grounds(path: Path, grounds: Grounds) -> None:
    """Write the zip: the scheme as its file is, the lists that it reads, and the rule set with shared numbers written out."""
    source = Path(grounds.scheme.file)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source, source.name)
        for name in grounds.scheme.lists:
            archive.write(source.parent / LISTS / f"{name}.csv", f"{LISTS}/{name}.csv")
        archive.writestr(RULES, grounds.rules.content)


def read_grounds(path: Path) -> Grounds:
    """What `write_grounds` wrote. Raises InvalidData for a zip that is none, DefinitionFaults for a scheme with faults."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(path, Path(folder), MOST_BYTES)
        schemes, faults = read_schemes(Path(folder))
        if faults:
            raise DefinitionFaults(faults)
        return Grounds(_only(path, schemes), _rules(path, Path(folder) / RULES))


def _only(path: Path, schemes: dict[str, Any]) -> Scheme:
    if len(schemes) != 1:
        raise InvalidData(f"「{path.name}」不是质检规则包：里面应有一个质检方案，实际有 {len(schemes)} 个。请选择与证书一起下载的规则包。")
    return next(iter(schemes.values()))


def _rules(path: Path, file: Path) -> RuleSet:
    try:
        return read_content(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, Unread) as error:
        raise InvalidData(f"「{path.name}」不是质检规则包：里面的 {RULES} 缺少或读不出。请选择与证书一起下载的规则包。") from error
