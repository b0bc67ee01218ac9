"""Every broken definition is refused with file, line, key and what was expected."""

from pathlib import Path

import pytest

from rules.case_type import DefinitionFaults, load_catalogue
from rules.engine.document import read_document
from tests.rules.case_type_sample import FOLDER, KNOWN, copied

EXAMPLES = sorted((FOLDER / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_broken_definition_is_refused(path: Path, tmp_path: Path) -> None:
    example = read_document(path)
    root = copied(tmp_path)
    file = root / "sample_permit" / example["file"]
    text = file.read_text(encoding="utf-8")
    assert text.count(example["find"]) == 1
    file.write_text(text.replace(example["find"], example["replace"]), encoding="utf-8")
    with pytest.raises(DefinitionFaults) as refused:
        load_catalogue([root], KNOWN)
    folder = (root / "sample_permit").as_posix() + "/"
    found = [str(fault).removeprefix(folder) for fault in refused.value.faults]
    assert len(found) == len(example["expect"])
    for line, expected in zip(found, example["expect"], strict=True):
        # An expectation that ends in an ellipsis leaves the rest to the rule engine, whose own tests hold its words.
        assert line.startswith(expected[:-1]) if expected.endswith("…") else line == expected


def test_there_are_enough_broken_examples() -> None:
    assert len(EXAMPLES) >= 30


def test_faults_of_several_files_come_together(tmp_path: Path) -> None:
    root = copied(tmp_path)
    for name, old, new in (
        ("form.yaml", "type: area", "type: aera"),
        ("workflow.yaml", "role: approver", "role: aprover"),
    ):
        file = root / "sample_permit" / name
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(DefinitionFaults) as refused:
        load_catalogue([root], KNOWN)
    assert {Path(fault.file).name for fault in refused.value.faults} == {"form.yaml", "workflow.yaml"}


def test_missing_file_is_named(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "sample_permit" / "documents.yaml").unlink()
    with pytest.raises(DefinitionFaults, match="事项文件夹 sample_permit 缺少 documents.yaml"):
        load_catalogue([root], KNOWN)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionFaults, match="没有这个文件夹"):
        load_catalogue([tmp_path / "nowhere"], KNOWN)
