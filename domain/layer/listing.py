"""The features of a layer as a table: as they stood on a day, or those that are past; filtered, sorted and paged in the database."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import Session, and_, func, select

from domain.actor import Actor
from domain.errors import InvalidData
from domain.layer import catalogue
from domain.layer.definition import FeatureData, LayerDefinition, layer_definition
from domain.layer.reading import FEATURE_COLUMNS, as_features, edition_of, edition_on, in_edition
from domain.layer.tables import Feature, LayerEdition

PAGE_ROWS, BATCH_ROWS = 50, 2_000
SORTS = ("key", "class_code", "district_code", "status", "area_m2")
PAST = "past"


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """What is asked of a layer; empty conditions ask nothing.

    `on`: as the layer stood on a day; `edition`: in an edition, where no day is given (neither: at present). `state`: empty for the features of that day, PAST for those that
    had been ended by then. `words` stand in `field`, or in the key or any field of text. `class_code`: how the class begins.
    `sort` is one of SORTS, with a minus before it for the largest first.
    """

    layer: str
    on: date | None = None
    state: str = ""
    words: str = ""
    field: str = ""
    class_code: str = ""
    district: str = ""
    status: str = ""
    sort: str = "key"
    edition: int | None = None

    def as_document(self) -> dict[str, Any]:
        """The query as JSON values."""
        return asdict(self) | {"on": self.on.isoformat() if self.on else None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "FeatureQuery":
        """What `as_document` wrote."""
        return cls(**{**document, "on": date.fromisoformat(document["on"]) if document["on"] else None})


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One row of the table: a feature without its geometry, and the editions it belongs to (the last one not included)."""

    key: str
    district_code: str
    class_code: str
    status: str
    area_m2: Decimal
    attributes: Mapping[str, Any]
    from_number: int
    until_number: int | None


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """A page of rows, how many there are in all and their area in m², and the classes that a filter can offer."""

    edition: LayerEdition
    rows: tuple[FeatureRow, ...]
    count: int
    area_m2: Decimal
    classes: Mapping[str, int]


_ROW = (
    Feature.key, Feature.district_code, Feature.class_code, Feature.status, Feature.area_m2, Feature.attributes,
    Feature.from_number, Feature.until_number,
)  # fmt: skip


def page_of(session: Session, actor: Actor, query: FeatureQuery, first: int = 0, size: int = PAGE_ROWS) -> FeaturePage:
    """A page of the features open to the actor, in three statements whatever their number.

    Raises NotAllowed for a layer closed to the actor, NotFound for one without data on the day, InvalidData for a field or
    an order that the layer has not.
    """
    edition, conditions = _asked(session, actor, query)
    sums = list(session.execute(
        select(Feature.class_code, func.count(), func.sum(Feature.area_m2)).where(*conditions)
        .group_by(Feature.class_code).order_by(Feature.class_code)
    ))  # fmt: skip
    chosen = [each for each in sums if each[0].startswith(query.class_code)]
    rows = session.execute(select(*_ROW).where(*conditions, *_of_class(query)).order_by(*_order(query)).offset(first).limit(size))
    return FeaturePage(
        edition, tuple(FeatureRow(*row) for row in rows), sum(each[1] for each in chosen),
        sum((each[2] for each in chosen), Decimal("0.00")), {code: count for code, count, _area in sums},
    )  # fmt: skip


def every_feature(session: Session, actor: Actor, query: FeatureQuery) -> Iterator[list[FeatureData]]:
    """All features of a query with their geometries (EPSG:4490), in the order of the table, by batches. Raises as `page_of`."""
    _edition, conditions = _asked(session, actor, query)
    statement = select(*FEATURE_COLUMNS).where(*conditions, *_of_class(query)).order_by(*_order(query))
    for batch in session.execute(statement.execution_options(yield_per=BATCH_ROWS)).partitions():
        yield as_features(batch)


def _asked(session: Session, actor: Actor, query: FeatureQuery) -> tuple[LayerEdition, list[Any]]:
    """The edition of the day, and the conditions but for the class."""
    districts, definition = catalogue.districts_of(actor, query.layer), layer_definition(query.layer)
    edition = edition_on(session, query.layer, query.on)
    if query.edition is not None and query.on is None:
        edition = edition_of(session, query.layer, query.edition)
    found = list(_past(edition) if query.state == PAST else in_edition(edition))
    if districts is not None:
        found.append(Feature.district_code.in_(sorted(districts)))
    if query.district:
        found.append(Feature.district_code == query.district)
    if query.status:
        found.append(Feature.status == query.status)
    if query.words:
        found.append(_has_words(definition, query))
    return edition, found


def _past(edition: LayerEdition) -> tuple[Any, ...]:
    """The conditions under which a row had been ended when an edition was in force."""
    return Feature.layer_id == edition.layer_id, Feature.until_number.is_not(None), Feature.until_number <= edition.number


def _of_class(query: FeatureQuery) -> list[Any]:
    return [Feature.class_code.startswith(query.class_code, autoescape=True)] if query.class_code else []


def search_fields(definition: LayerDefinition) -> dict[str, str]:
    """The fields in which words can be looked for: Chinese label by name."""
    return {column.name: column.label for column in definition.columns if column.name != "area_m2"}


def _has_words(definition: LayerDefinition, query: FeatureQuery) -> Any:
    names = search_fields(definition)
    if query.field and query.field not in names:
        raise InvalidData("这个图层没有所选的字段。请按图层重新选字段。", {"field": "请重新选字段"})
    anywhere = Feature.words.contains(query.words.lower(), autoescape=True)
    if not query.field:
        return anywhere
    here = Feature.attributes[query.field].as_string().contains(query.words, autoescape=True)
    is_text = any(each.name == query.field and each.type == "text" for each in definition.columns)
    return and_(anywhere, here) if is_text else here


def _order(query: FeatureQuery) -> list[Any]:
    name = query.sort.removeprefix("-")
    if name not in SORTS:
        raise InvalidData("不能按这一列排序。请从表头重新选择。")
    column = getattr(Feature, name)
    return [column.desc() if query.sort.startswith("-") else column, Feature.key, Feature.id]
