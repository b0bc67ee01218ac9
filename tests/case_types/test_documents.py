"""The papers of the shipped case types, as far as their definitions alone can be judged."""

import re

import pytest
import yaml

from portal.settings import PROJECT_DIR

FOLDERS = sorted(path.parent for path in (PROJECT_DIR / "rules" / "case_types").glob("*/documents.yaml"))
QUANTITIES = ("area", "money")
"""A length is printed as a number; its label or the text behind it names the unit."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_quantity_is_printed_without_its_unit(folder):
    sections = yaml.safe_load((folder / "form.yaml").read_text("utf-8"))["sections"]
    fields = [field for section in sections for field in section["fields"]]
    quantities = {field["key"] for field in fields if field["type"] in QUANTITIES}
    papers = (folder / "documents.yaml").read_text("utf-8")
    bare = {key for key in re.findall(r"\{([a-z_0-9]+)(?:\|[^{}]*)?\}", papers) if key in quantities}
    assert not bare, f"{folder.name}/documents.yaml prints {sorted(bare)} without a unit; write {{key:area}} or {{key:money}}"
