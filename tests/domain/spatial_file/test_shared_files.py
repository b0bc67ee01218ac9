"""Every file of the shared collections of vector data is read as what it is, or refused with the reason."""

import json
from pathlib import Path

import pytest
import yaml

from domain.errors import InvalidData
from domain.spatial_file import read_spatial_file, understood
from tests.domain.shared_data import SHARED, shared_file

COLLECTIONS = ("vector-formats", "city-vector")
EXPECTED = yaml.safe_load((Path(__file__).parents[2] / "data" / "spatial_files.yaml").read_text("utf-8"))
READ = {name: each for name, each in EXPECTED.items() if "refused" not in each}
REFUSED = {name: each for name, each in EXPECTED.items() if "refused" in each}


def described(layer) -> str:
    return f"{layer.geometry_type} {layer.count}".strip()


@pytest.mark.parametrize("name", READ)
def test_file_is_read_as_what_it_is(name):
    path, expected = shared_file(*name.split("/")), EXPECTED[name]
    file = read_spatial_file(path, path.name)
    assert file.kind == expected["kind"]
    layers = {layer.name: described(layer) for layer in file.layers}
    assert dict(list(layers.items())[:24]) == expected["layers"] and len(layers) - 24 == expected.get("more", len(layers) - 24)
    if "encoding" in expected:
        assert file.encoding == expected["encoding"]
    for layer, values in expected.get("has", {}).items():
        for field, value in values.items():
            assert value in set(file.layer(layer).columns[field])
    for layer in file.layers:
        assert all(len(column) == layer.count for column in layer.columns.values())
        assert [field.name for field in layer.fields] == list(layer.columns)
    json.dumps(understood(file).as_json())


@pytest.mark.parametrize("name", REFUSED)
def test_file_is_refused_in_words(name):
    path = shared_file(*name.split("/"))
    with pytest.raises(InvalidData) as refusal:
        read_spatial_file(path, path.name)
    assert EXPECTED[name]["refused"] in refusal.value.message
    assert "请" in refusal.value.message or "可以提供" in refusal.value.message


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_no_file_is_forgotten(collection):
    folder = shared_file(collection)
    found = {
        str(path.relative_to(SHARED)) for path in folder.rglob("*")
        if (path.is_file() or path.suffix == ".gdb") and not any(parent.suffix == ".gdb" for parent in path.parents)
    }  # fmt: skip
    assert found == {name for name in EXPECTED if name.startswith(f"{collection}/")}
