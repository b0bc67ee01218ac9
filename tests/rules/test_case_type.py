"""The catalogue: which edition holds when, and what a loaded definition says."""

from datetime import date
from pathlib import Path

import pytest

from rules.case_type import CaseTypeMissing, Catalogue, DefinitionFaults, EditionMissing, load_catalogue
from tests.rules.case_type_sample import BASE, KNOWN, copied


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue([BASE], KNOWN)


def add_older_edition(root: Path, from_on: str, until: str) -> None:
    """An older edition beside the sample, with the same files."""
    folder = root / "sample_permit" / "editions" / from_on
    folder.mkdir(parents=True)
    for file in (root / "sample_permit").glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())
    head = folder / "case_type.yaml"
    text = head.read_text(encoding="utf-8").replace(
        "from: 2026-01-01, until: null", f"from: {from_on}, until: {until}"
    )
    head.write_text(text, encoding="utf-8")


def test_edition_in_force_changes_on_its_first_day(tmp_path: Path) -> None:
    root = copied(tmp_path)
    add_older_edition(root, "2025-01-01", "2025-12-31")
    catalogue = load_catalogue([root], KNOWN)
    assert catalogue.current("sample_permit", date(2025, 12, 31)).edition.key == "2025-01-01"
    assert catalogue.current("sample_permit", date(2026, 1, 1)).edition.key == "2026-01-01"
    assert catalogue.edition("sample_permit", "2025-01-01").edition.until_on == date(2025, 12, 31)


def test_overlapping_editions_are_refused(tmp_path: Path) -> None:
    root = copied(tmp_path)
    add_older_edition(root, "2025-01-01", "2026-01-01")
    with pytest.raises(DefinitionFaults, match="在时间上重叠"):
        load_catalogue([root], KNOWN)


def test_folder_of_an_edition_is_named_after_its_first_day(tmp_path: Path) -> None:
    root = copied(tmp_path)
    add_older_edition(root, "2025-01-01", "2025-12-31")
    editions = root / "sample_permit" / "editions"
    (editions / "2025-01-01").rename(editions / "2025-02-01")
    with pytest.raises(DefinitionFaults, match="文件夹名是 2025-02-01，版本从 2025-01-01 起"):
        load_catalogue([root], KNOWN)


def test_nothing_is_in_force_before_the_first_edition(catalogue: Catalogue) -> None:
    assert catalogue.all(date(2025, 12, 31)) == ()
    with pytest.raises(CaseTypeMissing, match="2025-12-31 没有生效的版本"):
        catalogue.current("sample_permit", date(2025, 12, 31))


def test_unknown_case_type_and_edition_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(CaseTypeMissing, match="没有事项 no_permit"):
        catalogue.current("no_permit", date(2026, 1, 1))
    with pytest.raises(EditionMissing, match="没有 2024-01-01 起的版本"):
        catalogue.edition("sample_permit", date(2024, 1, 1))


def test_groups_hold_the_case_types_of_the_day(catalogue: Catalogue) -> None:
    (group,) = catalogue.groups(date(2026, 6, 1))
    assert group.title == "样例" and [each.short for each in group.case_types] == ["样例许可"]


def test_route_prefers_the_route_value_over_the_outcome(catalogue: Catalogue) -> None:
    route = catalogue.current("sample_permit", date(2026, 6, 1)).workflow.step("chief").action("pass").route
    assert route.move("qualifies", "one_level").outcome == "granted"
    assert route.move("standard", None).steps == ("approve",)


def test_sections_editable_in_a_step_come_from_both_sides(catalogue: Catalogue) -> None:
    case_type = catalogue.current("sample_permit", date(2026, 6, 1))
    assert case_type.editable_sections("apply") == {"project", "parcels"}
    assert case_type.editable_sections("chief") == {"review", "project"}


def test_condition_is_unknown_without_its_fact(catalogue: Catalogue) -> None:
    condition = catalogue.current("sample_permit", date(2026, 6, 1)).form.field("notice_place").visible_when
    assert [condition.holds({"has_notice": each}) for each in (True, False, None)] == [True, False, None]
    assert condition.reads == {"has_notice"} and "是否公示" in condition.words()
