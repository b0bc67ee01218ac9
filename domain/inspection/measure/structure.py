"""How a package is built: its members, layers, and the names, types, lengths and decimals of fields."""

from collections.abc import Iterator
from fnmatch import fnmatch

from domain.inspection.scheme import FieldSpec, LayerSpec
from domain.inspection.subject import Candidate, InspectedLayer, Subject
from domain.spatial_file import FileField

_FAMILIES = {
    "point": ("point", "multipoint"), "line": ("linestring", "multilinestring"), "polygon": ("polygon", "multipolygon"), "table": ("", "none"),
}  # fmt: skip
_WIDE = {"text", "binary"}


def file_set(subject: Subject) -> Iterator[Candidate]:
    """Members that the scheme wants in the package and that are not there (patterns such as *.prj)."""
    names = [name.rsplit("/", 1)[-1].lower() for name in (*subject.file.members, subject.file.file_name)]
    for wanted in subject.scheme.members:
        if not any(fnmatch(name, wanted.lower()) for name in names):
            yield Candidate("file_set", "", {"expected": wanted}, value=wanted)


def layer_name(subject: Subject) -> Iterator[Candidate]:
    """Layers that are missing, named in Chinese or unlike the scheme in letters' case, or unknown to it."""
    known = set()
    for spec in subject.scheme.layers:
        found = subject.match(spec)
        if found is None:
            if spec.is_required:
                yield _layer(spec.name, "missing", spec, "")
            continue
        known.add(found.name)
        if found.name != spec.name:
            yield _layer(found.name, "spelling", spec, found.name)
        if spec.alias and found.alias and found.alias not in (spec.alias, found.name):
            yield _layer(found.name, "alias", spec, found.alias)
    for layer in subject.file.layers:
        if layer.name not in known:
            facts = {"problem": "unknown", "expected": "", "actual": layer.name}
            yield Candidate("layer_name", layer.name, facts, value=layer.name)


def _layer(name: str, problem: str, spec: LayerSpec, actual: str) -> Candidate:
    expected = spec.alias if problem == "alias" else f"{spec.name}（{spec.alias}）" if spec.alias else spec.name
    return Candidate("layer_name", name, {"problem": problem, "expected": expected, "actual": actual}, value=actual)


def geometry_type(subject: Subject) -> Iterator[Candidate]:
    """Layers whose declared type is of another family, and rows whose geometry is."""
    for layer in subject.layers:
        allowed, declared = _FAMILIES[layer.spec.geometry], layer.layer.geometry_type.lower().removesuffix(" z").removesuffix("z")
        if declared not in allowed and (declared or layer.spec.geometry != "table"):
            yield Candidate("geometry_type", layer.name, {"expected": layer.spec.geometry, "actual": layer.layer.geometry_type or "table"})
        if layer.spec.geometry == "table":
            continue
        for row, geometry in enumerate(layer.layer.geometries):
            if geometry is not None and not geometry.is_empty and geometry.geom_type.lower() not in allowed:
                facts = {"expected": layer.spec.geometry, "actual": geometry.geom_type}
                yield Candidate("geometry_type", layer.name, facts, row, value=geometry.geom_type)


def field_name(subject: Subject) -> Iterator[Candidate]:
    """Fields that are missing, and fields that the scheme does not know."""
    for layer in subject.layers:
        there = {each.name.lower(): each.name for each in layer.layer.fields}
        for spec in layer.spec.fields:
            found = there.get(spec.name.lower())
            if found is None and spec.is_required:
                yield _field("field_name", layer, spec.name, problem="missing", expected=f"{spec.name}（{spec.alias}）" if spec.alias else spec.name)
            elif found is not None and found != spec.name:
                yield _field("field_name", layer, found, problem="spelling", expected=spec.name, actual=found)
        for each in layer.layer.fields:
            if layer.spec.fields and layer.spec.field(each.name) is None:
                yield _field("field_name", layer, each.name, problem="unknown", expected="", actual=each.name)


def _field(check: str, layer: InspectedLayer, name: str, **facts) -> Candidate:
    return Candidate(check, layer.name, {"field": name} | facts, field=name, value=str(facts.get("actual", "")))


def _pairs(subject: Subject) -> Iterator[tuple[InspectedLayer, FileField, FieldSpec]]:
    for layer in subject.layers:
        for each in layer.layer.fields:
            spec = layer.spec.field(each.name)
            if spec is not None:
                yield layer, each, spec


def field_alias(subject: Subject) -> Iterator[Candidate]:
    """Chinese names that differ; formats without Chinese names (Shapefile) leave nothing to compare."""
    for layer, each, spec in _pairs(subject):
        if each.alias and spec.alias and each.alias not in (spec.alias, each.name):
            yield _field("field_alias", layer, each.name, expected=spec.alias, actual=each.alias)


def field_type(subject: Subject) -> Iterator[Candidate]:
    """Types that differ."""
    for layer, each, spec in _pairs(subject):
        if spec.type and each.type != spec.type:
            yield _field("field_type", layer, each.name, expected=spec.type, actual=each.type)


def field_length(subject: Subject) -> Iterator[Candidate]:
    """Lengths that differ, where both the file and the scheme state one; numbers of a database have none."""
    for layer, each, spec in _pairs(subject):
        if spec.length and each.length and each.type in _WIDE and each.length != spec.length:
            facts = {"expected_number": spec.length, "actual_number": each.length}
            yield _field("field_length", layer, each.name, **facts)


def field_decimals(subject: Subject) -> Iterator[Candidate]:
    """Decimals that differ, where the file states them."""
    for layer, each, spec in _pairs(subject):
        if spec.decimals is not None and each.type == "decimal" and each.length and each.decimals != spec.decimals:
            yield _field("field_decimals", layer, each.name, expected_number=spec.decimals, actual_number=each.decimals)


MEASURES = {
    "file_set": file_set, "layer_name": layer_name, "geometry_type": geometry_type, "field_name": field_name, "field_alias": field_alias,
    "field_type": field_type, "field_length": field_length, "field_decimals": field_decimals,
}  # fmt: skip
