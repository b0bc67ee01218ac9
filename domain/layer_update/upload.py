"""What a file gives to an update: the features of the layer, the area to renew, and what is left out of it, in words."""

from dataclasses import dataclass, replace

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData
from domain.geometry import fault_of, multipolygon
from domain.layer import FeatureData, LayerDefinition, intake
from domain.layer_update.definition import ANNUAL, StoredUpload, UpdateRequest
from domain.office import Office
from domain.spatial_file import FileLayer, SpatialFile, read_spatial_file

SURVEY_KEY = "feature_code"
"""The field by which a survey names its patches."""
_MOST_REFUSALS = 200


@dataclass(frozen=True)
class Upload:
    """What was read: the file, the features, those refused in words, notes, and whether it is the survey's own table."""

    file: SpatialFile
    features: tuple[FeatureData, ...]
    refusals: tuple[str, ...]
    notes: tuple[str, ...]
    is_survey: bool = False


def read(office: Office, stored: StoredUpload, request: UpdateRequest) -> SpatialFile:
    """The file of a request. Raises InvalidData, with file, reason and what to do."""
    path, systems = office.files.path_of(stored.digest), office.coordinates.systems
    return read_spatial_file(path, stored.name, request.crs or None, request.encoding or None, systems)


def upload_of(file: SpatialFile, definition: LayerDefinition, request: UpdateRequest) -> Upload:
    """The features that a file brings to a layer. Raises InvalidData for a file without a fitting layer."""
    layer, is_survey = _chosen(file, definition, request.way)
    others = [(each.name, each.count) for each in file.layers if each is not layer]
    notes = intake.left_out_words(others, f"这次只更新“{definition.title}”，它的内容没有读。")
    if is_survey:
        layer, note = _of_classes(layer, definition)
        notes = [*notes, note]
    found, faults = intake.read_features(layer, replace(definition, key_field=SURVEY_KEY) if is_survey else definition)
    refusals = [fault.message for fault in faults[:_MOST_REFUSALS]]
    if len(faults) > _MOST_REFUSALS:
        refusals.append(f"另有 {len(faults) - _MOST_REFUSALS:,} 个要素也不能入库，没有逐个列出。")
    return Upload(file, tuple(found), tuple(refusals + repeated(found)), tuple(notes), is_survey)


def _chosen(file: SpatialFile, definition: LayerDefinition, way: str) -> tuple[FileLayer, bool]:
    """The layer of the file that is ours, by its standard name or as the only one with geometry; True for the survey's table."""
    by_name = {each.name.lower(): each for each in file.layers}
    if definition.table.lower() in by_name:
        return by_name[definition.table.lower()], False
    survey = definition.survey.get("table", "")
    if way == ANNUAL and survey.lower() in by_name:
        return by_name[survey.lower()], True
    shaped = [each for each in file.layers if each.geometry_type]
    if len(shaped) != 1:
        names = f"{definition.table} 或 {survey}" if way == ANNUAL and survey else definition.table
        listed = "、".join(each.name for each in file.layers) or "没有图层"
        raise InvalidData(f"文件里找不到图层 {names}（读到：{listed}），没有更新。请把要更新的图层命名为 {names} 后重新上传。")
    only = shaped[0]
    fields = {name.lower() for name in only.columns}
    named = next(each.column for each in definition.columns if each.name == definition.key_field)
    return only, way == ANNUAL and bool(survey) and named.lower() not in fields


def _of_classes(layer: FileLayer, definition: LayerDefinition) -> tuple[FileLayer, str]:
    """The rows of a survey whose class belongs to the layer, and how many there were."""
    column = next(each.column for each in definition.columns if each.name == definition.class_field)
    name = next((each for each in layer.columns if each.lower() == column.lower()), None)
    if name is None:
        raise InvalidData(f"调查成果的图层 {layer.name} 没有地类编码字段 {column}，分不出哪些图斑属于“{definition.title}”。请补上后重新上传。")
    classes = definition.survey["classes"]
    taken = numpy.array([str(value or "").strip().startswith(classes) for value in layer.columns[name]], dtype=bool)
    rows = replace(layer, geometries=layer.geometries[taken], columns={key: values[taken] for key, values in layer.columns.items()})
    return rows, f"调查成果 {layer.name} 共 {layer.count:,} 个图斑，取其中地类编码以 {classes} 开头的 {rows.count:,} 个。"


def repeated(features: list[FeatureData]) -> list[str]:
    """In words, the keys that stand more than once."""
    seen: dict[str, int] = {}
    for each in features:
        seen[each.key] = seen.get(each.key, 0) + 1
    return [f"要素编号 {key} 在文件里有 {count} 个。编号须唯一，请改正后重新上传。" for key, count in seen.items() if count > 1][:_MOST_REFUSALS]


def area_of(file: SpatialFile) -> shapely.MultiPolygon:
    """The area that a file outlines (EPSG:4490). Raises InvalidData for a file without sound polygons."""
    shapes = [each for layer in file.layers if layer.geometry_type for each in layer.stored_geometries() if each is not None]
    polygons = [each for each in shapes if each.geom_type in ("Polygon", "MultiPolygon") and not each.is_empty]
    if not polygons:
        raise InvalidData(f"范围文件“{file.file_name}”里没有面，没有更新。请上传面图形。", {"area": "范围文件里没有面"})
    for each in polygons:
        if fault := fault_of(each):
            raise InvalidData(f"范围文件“{file.file_name}”的图形{fault.reason}，没有更新。请修正后重新上传。", {"area": "范围图形无效"})
    return multipolygon(shapely.union_all(polygons))


def covered_by(features: tuple[FeatureData, ...]) -> BaseGeometry:
    """The area that features cover together."""
    return multipolygon(shapely.union_all([each.geometry for each in features]))
