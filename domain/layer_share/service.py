"""What a share gives out: features by pages, vector tiles, a download; only while it is in force, each use recorded."""

import hashlib
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import shapely
from sqlmodel import Session, or_, select

from domain import portal_clock
from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.errors import Conflict, Gone, NotAllowed, NotFound
from domain.file_store import ReceivedFile, register
from domain.geojson import CRS
from domain.job import JobResult, Progress, job_handler
from domain.layer import Feature, FeatureData, LayerDefinition, edition_on, layer_definition, layer_of
from domain.layer.reading import features_statement, read_features
from domain.layer_share.applying import BUILD, find, staff
from domain.layer_share.tables import LayerShare, LayerShareAccess
from domain.map_tile import Tile, TileFeature, encode
from domain.projection import STORAGE
from domain.shapefile import layer_of_records, write_zipped_shapefile
from domain.spatial_file.writing import write_spatial_file

PAGE_SIZE, LARGEST_PAGE, MOST_IN_TILE = 500, 2000, 20_000
READS_A_MINUTE = 120


def digest_of(token: str) -> str:
    """What of a token is kept."""
    return hashlib.new("sm3", token.encode()).hexdigest()


@command("layer_share.issue_token", allow=staff)
def issue_token(work: Work, share_id: int) -> str:
    """A new service token for an approved share, for its applicant alone; the token before it ends. Shown once, kept nowhere."""
    found = find(work.session, work.actor, share_id)
    if found.applicant_id != work.actor.person_id:
        raise NotAllowed("服务地址只由申请人自己领取。")
    _must_be_in_force(found, portal_clock.local_date(work.at))
    if found.format != "service":
        raise Conflict("这项共享批准的是下载，没有服务地址。请点“下载”。")
    token = secrets.token_urlsafe(32)
    found.token_digest = digest_of(token)
    found.version += 1
    work.record(f"layer_share:{found.id}", token="issued")
    return token


def _must_be_in_force(share: LayerShare, today: date) -> None:
    """Raise Gone for a share that ended, NotAllowed for one that was not approved."""
    if share.status == "withdrawn":
        raise Gone("这项共享已经撤回，地址不再提供数据。需要继续使用的，请重新申请。")
    if share.status != "approved":
        raise NotAllowed("这项共享还没有批准，不能取数据。请等市级数据管理人员审批。")
    if share.until_on < today:
        raise Gone(f"这项共享已于 {share.until_on:%Y-%m-%d} 到期。需要继续使用的，请重新申请。")


def share_of_token(session: Session, token: str) -> LayerShare:
    """The share of a token; NotFound for a token that is none."""
    found = session.exec(select(LayerShare).where(LayerShare.token_digest == digest_of(token))).first()
    if found is None:
        raise NotFound("没有这个服务地址，或它已经换新。请向申请人索取现在的地址。")
    return found


def must_be_in_force(session: Session, share: LayerShare) -> None:
    """Raise Gone or NotAllowed unless the share may be used today."""
    _must_be_in_force(share, portal_clock.today(session))


def _features(share: LayerShare) -> list[Any]:
    """The conditions on features that a share is narrowed to."""
    conditions: list[Any] = []
    if share.districts:
        conditions.append(Feature.district_code.in_(sorted(share.districts)))
    if share.classes:
        conditions.append(or_(*(Feature.class_code.startswith(each, autoescape=True) for each in share.classes)))
    return conditions


@dataclass(frozen=True)
class FeaturePage:
    """A page of features as GeoJSON, whether there is another, and the edition they are of."""

    document: Mapping[str, Any]
    has_next: bool
    count: int


def feature_page(session: Session, share: LayerShare, page: int, size: int = PAGE_SIZE) -> FeaturePage:
    """One page of the features of a share, by key, with its fields alone (EPSG:4490)."""
    size = max(1, min(size, LARGEST_PAGE))
    definition, edition = layer_definition(share.layer_key), edition_on(session, share.layer_key)
    statement = features_statement(edition).where(*_features(share)).order_by(Feature.key).offset((page - 1) * size).limit(size + 1)
    rows = read_features(session, statement)
    features = [_geojson(definition, share, each) for each in rows[:size]]
    document = {
        "type": "FeatureCollection", "name": definition.title, "crs": CRS,
        "edition": edition.number, "effectiveOn": edition.effective_on.isoformat(), "isGenerated": layer_of(session, share.layer_key).is_generated,
        "page": page, "pageSize": size, "features": features,
    }
    return FeaturePage(document, len(rows) > size, len(features))


def _geojson(definition: LayerDefinition, share: LayerShare, feature: FeatureData) -> Mapping[str, Any]:
    return {"type": "Feature", "id": feature.key, "geometry": shapely.geometry.mapping(feature.geometry), "properties": _columns(definition, share, feature)}


def _columns(definition: LayerDefinition, share: LayerShare, feature: FeatureData) -> dict[str, Any]:
    """The fields of the share by their standard codes."""
    values, allowed = definition.values(feature), set(share.fields)
    return {column.column: _plain(values.get(column.name)) for column in definition.columns if column.name in allowed}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def tile(session: Session, share: LayerShare, wanted: Tile) -> tuple[bytes, int]:
    """A vector tile of the features of a share, and how many are in it. Raises NotFound where there are too many to draw."""
    west, south, east, north = wanted.bounds
    near = (Feature.west <= east, Feature.east >= west, Feature.south <= north, Feature.north >= south)
    statement = features_statement(edition_on(session, share.layer_key)).where(*_features(share), *near).order_by(Feature.key).limit(MOST_IN_TILE + 1)
    rows = read_features(session, statement)
    if len(rows) > MOST_IN_TILE:
        raise NotFound("这一块瓦片里的要素太多。请放大后再取，或按页取要素。")
    definition = layer_definition(share.layer_key)
    shown = [TileFeature(each.geometry, {"key": each.key, **_texts(_columns(definition, share, each))}) for each in rows]
    return encode(wanted, share.layer_key, shown), len(rows)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value not in (None, "")}


@command("layer_share.read", allow=system_only)
def note_access(work: Work, share_id: int, what: str, feature_count: int = 0) -> None:
    """Record one use of a share by a program, or one refused request."""
    _note(work, share_id, what, feature_count, None)


def _note(work: Work, share_id: int, what: str, feature_count: int, person_id: int | None) -> None:
    work.session.add(LayerShareAccess(share_id=share_id, at=work.at, what=what, feature_count=feature_count, person_id=person_id))
    work.record(f"layer_share:{share_id}", what=what, features=feature_count)


@command("layer_share.download", allow=staff)
def take_download(work: Work, share_id: int) -> LayerShare:
    """Record that the applicant takes the file of an approved share. Raises Gone once it ended, Conflict while it is being built."""
    found = find(work.session, work.actor, share_id)
    if found.applicant_id != work.actor.person_id:
        raise NotAllowed("共享的文件只由申请人下载。")
    _must_be_in_force(found, portal_clock.local_date(work.at))
    if found.file_digest is None:
        raise Conflict("文件还在打包。请稍后刷新页面再下载。")
    _note(work, share_id, "download", 0, work.actor.person_id)
    return found


@job_handler(BUILD, resumable=True)
def build(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the file of an approved download; it is kept with the share, so that it ends with the share."""
    progress.tell(0, 2, "读取要素")
    with progress.reading() as session:
        share = session.get_one(LayerShare, arguments["share"])
        must_be_in_force(session, share)
        definition, edition = layer_definition(share.layer_key), edition_on(session, share.layer_key)
        rows = read_features(session, features_statement(edition).where(*_features(share)).order_by(Feature.key))
        content, name = _file(definition, share, rows)
    progress.tell(1, 2, "存放文件")
    received = progress.office.files.put_bytes(content, name)
    with progress.writing() as session:
        keep_file(session, SYSTEM, arguments["share"], received, name)
    return JobResult({"features": len(rows), "edition": edition.number})


@command("layer_share.keep_file", allow=system_only)
def keep_file(work: Work, share_id: int, received: ReceivedFile, name: str) -> None:
    """Keep the built file with its share."""
    found = work.session.get_one(LayerShare, share_id)
    found.file_digest, found.file_name = register(work.session, received, work.at), name
    work.record(f"layer_share:{share_id}", file=found.file_digest)


def _file(definition: LayerDefinition, share: LayerShare, rows: list[FeatureData]) -> tuple[bytes, str]:
    allowed = set(share.fields)
    columns = [column for column in definition.columns if column.name in allowed]
    records = [(each.geometry, _columns(definition, share, each)) for each in rows]
    if share.file_kind == "shp":
        return write_zipped_shapefile(definition.table, columns, records, kind=definition.geometry), f"{definition.title}.zip"

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.gpkg"
        write_spatial_file(path, "GeoPackage", [layer_of_records(definition.table, columns, records, definition.geometry)], STORAGE)
        return path.read_bytes(), f"{definition.title}.gpkg"
