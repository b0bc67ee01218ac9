"""What stands in the fields: required values, codes, uniqueness, agreement of fields and of tables."""

import re
from collections import Counter
from collections.abc import Iterator

from domain.inspection.scheme import FieldSpec
from domain.inspection.subject import Candidate, InspectedLayer, Subject, number_of, text_of


def _texts(subject: Subject) -> Iterator[tuple[InspectedLayer, FieldSpec, list[str]]]:
    """Every field that is there, with its values as text."""
    for layer in subject.layers:
        for spec in layer.spec.fields:
            column = layer.column(spec.name)
            if column is not None:
                yield layer, spec, [text_of(value) for value in column]


def _found(check: str, layer: InspectedLayer, row: int, field: str, value: str, **facts) -> Candidate:
    return Candidate(check, layer.name, {"field": field, "actual": value} | facts, row, field, value)


def required_value(subject: Subject) -> Iterator[Candidate]:
    """Empty values of fields that must be filled."""
    for layer, spec, values in _texts(subject):
        if spec.is_filled:
            yield from (_found("required_value", layer, row, spec.name, "") for row, value in enumerate(values) if not value)


def code_domain(subject: Subject) -> Iterator[Candidate]:
    """Values that are no code of the field's list."""
    for layer, spec, values in _texts(subject):
        if spec.codes is not None:
            yield from (
                _found("code_domain", layer, row, spec.name, value) for row, value in enumerate(values) if value and value not in spec.codes
            )


def unique_value(subject: Subject) -> Iterator[Candidate]:
    """Values that stand in more than one row: each row but the first, with the number of the first."""
    for layer, spec, values in _texts(subject):
        if not spec.is_unique:
            continue
        counts, first = Counter(values), {}
        for row, value in enumerate(values):
            if value and counts[value] > 1:
                earlier = first.setdefault(value, row)
                if earlier != row:
                    yield _found("unique_value", layer, row, spec.name, value, piece_count=counts[value], other=str(earlier + 1))


def code_name(subject: Subject) -> Iterator[Candidate]:
    """Names that are not the name of the code beside them."""
    for layer in subject.layers:
        for code_field, name_field in layer.spec.names:
            codes, names = layer.column(code_field), layer.column(name_field)
            known = layer.spec.field(code_field).codes or {}
            if codes is None or names is None:
                continue
            for row, (code, name) in enumerate(zip(map(text_of, codes), map(text_of, names), strict=True)):
                if code in known and name != known[code]:
                    yield _found("code_name", layer, row, name_field, name, expected=known[code], other=code)


def code_prefix(subject: Subject) -> Iterator[Candidate]:
    """Values that do not begin with the value of another field (BSM with the code of its district)."""
    for layer in subject.layers:
        for field, of in layer.spec.prefixes:
            values, begins = layer.column(field), layer.column(of)
            if values is None or begins is None:
                continue
            for row, (value, begin) in enumerate(zip(map(text_of, values), map(text_of, begins), strict=True)):
                if value and begin and not value.startswith(begin):
                    yield _found("code_prefix", layer, row, field, value, expected=begin, other=of)


def pattern(subject: Subject) -> Iterator[Candidate]:
    """Values that do not have the written form."""
    for layer, spec, values in _texts(subject):
        if spec.pattern:
            form = re.compile(spec.pattern)
            for row, value in enumerate(values):
                if value and not form.fullmatch(value):
                    yield _found("pattern", layer, row, spec.name, value, expected=spec.pattern)


def value_range(subject: Subject) -> Iterator[Candidate]:
    """Numbers below the lowest or above the highest, and texts where a number must stand."""
    for layer, spec, values in _texts(subject):
        if spec.lowest is None and spec.highest is None:
            continue
        words = f"{'' if spec.lowest is None else spec.lowest}—{'' if spec.highest is None else spec.highest}"
        for row, value in enumerate(values):
            number = number_of(value)
            if value and (number is None or _is_outside(number, spec)):
                yield _found("value_range", layer, row, spec.name, value, expected=words)


def _is_outside(number, spec: FieldSpec) -> bool:
    return (spec.lowest is not None and number < spec.lowest) or (spec.highest is not None and number > spec.highest)


def district_code(subject: Subject) -> Iterator[Candidate]:
    """Codes of districts that are not of the district for which the package is handed in (of the city: of none of its)."""
    from domain.district import load_districts

    known = {each.code for each in load_districts()}
    wanted = {subject.district} if subject.district in known else known
    words = subject.district if subject.district in known else "310100"
    for layer in subject.layers:
        column = layer.column(layer.spec.district_field) if layer.spec.district_field else None
        for row, value in enumerate([] if column is None else map(text_of, column)):
            if value and value[:6] not in wanted:
                yield _found("district_code", layer, row, layer.spec.district_field, value, expected=words)


def relation(subject: Subject) -> Iterator[Candidate]:
    """Values that refer to a row of another table which is not there."""
    for layer in subject.layers:
        for field, other, to in layer.spec.relations:
            target = subject.layer(other)
            values, there = layer.column(field), target.column(to) if target else None
            if values is None or there is None:
                continue
            known = {text_of(value) for value in there}
            for row, value in enumerate(map(text_of, values)):
                if value and value not in known:
                    yield _found("relation", layer, row, field, value, expected=to, other=target.name)


MEASURES = {
    "required_value": required_value, "code_domain": code_domain, "unique_value": unique_value, "code_name": code_name,
    "code_prefix": code_prefix, "pattern": pattern, "value_range": value_range, "district_code": district_code, "relation": relation,
}  # fmt: skip
