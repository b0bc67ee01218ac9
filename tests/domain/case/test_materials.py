"""Materials of a case type with several slots."""

import pytest

from domain import material
from domain.errors import InvalidData
from tests.domain.case.conftest import PNG


def received(filing, slot, name="图.png"):
    office = filing.database.office
    definition = office.catalogue.edition("tree_permit", filing.case.edition)
    return material.receive(office.files, definition.material(slot), name, [PNG])


def test_a_file_of_another_slot_is_not_replaced(filing):
    kept = filing.do(material.add_material, filing.applicant, filing.id, received(filing, "plan"))
    with pytest.raises(InvalidData, match="不能这样替换"):
        filing.do(material.replace_material, filing.applicant, filing.id, kept.id, received(filing, "photo", "照片.png"))
