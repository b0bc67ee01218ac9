"""Column codes and field names: mapped once, both ways, nothing lost without a word."""

from decimal import Decimal

import pytest
import shapely

from domain.errors import InvalidData, NotFound
from domain.layer.definition import FeatureData, layer_definition, layer_definitions

OFFICIAL = {
    "land_use": ("DLTB", {"BSM", "YSDM", "TBBH", "DLBM", "DLMC", "QSDWDM", "ZLDWDM", "TBMJ", "GDLX"}),
    "permanent_farmland": ("YJJBNTTB", {"BSM", "YSDM", "XZQDM", "YJJBNTTBBH", "YJJBNTTBMJ", "TBBH"}),
    "annual_farmland": (
        "NDGDZY",
        {"DKWYBH", "DKZT", "XZQDM", "DLBM", "DLMC", "GDDB", "GDDJ", "TBMJ", "SJNF", "BHSM"},
    ),
    "administrative_area": ("XZQ", {"XZQDM", "XZQMC"}),
}


@pytest.mark.parametrize("key", OFFICIAL)
def test_layers_have_their_official_columns(key):
    definition = layer_definition(key)
    table, codes = OFFICIAL[key]
    assert definition.table == table and codes <= {column.column for column in definition.columns}


def test_every_layer_can_be_written_as_a_shapefile_and_is_mapped_one_to_one():
    for definition in layer_definitions().values():
        names = [column.name for column in definition.columns]
        codes = [column.column for column in definition.columns]
        assert len(set(names)) == len(names) and len(set(codes)) == len(codes)
        assert all(len(code) <= 10 and code.isascii() for code in codes)
        assert definition.class_field in names
        assert all(column.standard and column.label for column in definition.columns)


def test_record_goes_to_column_codes_and_back():
    definition = layer_definition("annual_farmland")
    values = {"plot_number": "GD310118-000001", "class_code": "0101", "status": "可用"}
    written = definition.to_columns(values)
    assert (written["DKWYBH"], written["DLBM"], written["DKZT"], written["TBMJ"]) == (
        "GD310118-000001",
        "0101",
        "可用",
        None,
    )
    back = definition.from_columns(written | {"OTHER": 1})
    assert {key: back[key] for key in values} == values and "OTHER" not in back.values()


def test_decimals_kept_as_text_in_attributes_are_decimals_again():
    feature = FeatureData(
        "1",
        "310118",
        "0101",
        Decimal("12.30"),
        shapely.box(0, 0, 1, 1),
        {"class_area_m2": "12.30", "slope_grade": None},
    )
    values = layer_definition("land_use").values(feature)
    assert (values["area_m2"], values["class_area_m2"]) == (Decimal("12.30"), Decimal("12.30"))


def test_field_that_the_layer_has_not_is_refused():
    with pytest.raises(InvalidData, match="colour"):
        layer_definition("land_use").to_columns({"colour": "red"})


def test_unknown_layer_is_refused():
    with pytest.raises(NotFound, match="forest"):
        layer_definition("forest")
