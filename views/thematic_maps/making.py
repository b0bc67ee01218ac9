"""Making a thematic map: the form with the sheet beside it, the picture, the files, the upload of flows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.district import district_name, load_account_areas
from domain.errors import InvalidData, NotFound
from domain.layer import catalogue, layer_definition
from domain.thematic_map import MapSpec, ThematicMap, read_spec
from domain.thematic_map import saved as saved_maps
from domain.thematic_map.export import file_name, is_heavy, request_export
from domain.thematic_map.flow_sheet import LARGEST_MB, read_flows
from domain.thematic_map.flows import amount_attributes, end_attributes
from domain.thematic_map.grouping import category_attributes, number_attributes
from domain.thematic_map.sheet import scale_of
from domain.thematic_map.spec import KEYS
from domain.thematic_map.tables import SavedThematicMap
from domain.thematic_map.words import choices, measures, paper_choices, words
from domain.thematic_map.writing import FORMATS, WrittenTable, in_words, written
from domain.town import towns
from views import page, posted
from views.files import disposition
from views.map_found import url
from views.posted import FieldFault
from views.shell import Crumb, Link
from views.thematic_maps.made import made_map

MOST_SHOWN = 200
"""Rows of a table on the page; the workbook has all."""
SHAPE = "shape"
FLOW_MB = LARGEST_MB


@dataclass(frozen=True)
class MakerPage:
    """The context of thematic_maps/make.html; without a map where the settings cannot be drawn."""

    title: str
    texts: Mapping[str, str]
    carried: Mapping[str, str]
    kinds: tuple[Mapping[str, Any], ...]
    layers: tuple[Mapping[str, str], ...]
    areas: tuple[Mapping[str, str], ...]
    units: tuple[Mapping[str, str], ...]
    fields: tuple[Mapping[str, str], ...]
    ends: tuple[Mapping[str, str], ...]
    groups: Mapping[str, tuple[Mapping[str, str], ...]]
    faults: tuple[FieldFault, ...]
    picture: str
    phone_picture: str
    tables: tuple[WrittenTable, ...]
    facts: tuple[Mapping[str, str], ...]
    alt: str
    saved: SavedThematicMap | None
    is_own: bool
    is_newer: str
    is_changed: bool
    offices: tuple[Mapping[str, str], ...]
    is_heavy: bool


def show(request: Request) -> Response:
    """The form and the sheet of what the address asks for; `saved` is the template that is being changed."""
    return render(request, texts_of(request.query_params), changed(request, posted.digits(request.query_params.get("saved"))))


def changed(request: Request, map_id: int | None) -> SavedThematicMap | None:
    """The template that is being changed, if it is one that the person may see."""
    if map_id is None:
        return None
    with page.reading(request) as session:
        return saved_maps.find(session, page.actor(request), map_id)


def texts_of(given: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a spec in a query or a form; a typed boundary stands for the area."""
    texts = {key: value for key in KEYS if isinstance(value := given.get(key), str) and value.strip()}
    shape = given.get(SHAPE)
    if isinstance(shape, str) and (typed := shape.strip().replace("，", ",").replace("；", ";")):
        numbers = [each for each in typed.replace(";", ",").replace("\n", ",").split(",") if each.strip()]
        lines = [each for each in typed.replace("\r", "").replace("\n", ";").split(";") if each.strip()]
        texts["area"] = f"box:{typed}" if len(numbers) == 4 and len(lines) == 1 else f"shape:{';'.join(lines)}"
    return texts


def fitting(session: Session, request: Request, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts without a field or unit that the layer and kind do not have: what is left of a kind chosen before."""
    found = dict(texts)
    known = catalogue.open_keys(session, page.actor(request))
    if "layer" not in found and known:
        found["layer"] = "land_use" if "land_use" in known else known[0]
    kind = found.get("kind", "single")
    if kind in words()["kinds"]:
        found["kind"] = kind
        if found.get("unit") not in words()["kinds"][kind]["units"]:
            found["unit"] = words()["kinds"][kind]["units"][0]
        if found.get("field") not in {each["value"] for each in _fields(found)}:
            found.pop("field", None)
        for end in ("origin", "destination"):
            if found.get(end) not in {each["value"] for each in _ends(found)}:
                found.pop(end, None)
    return found


def _fields(texts: Mapping[str, str]) -> list[Mapping[str, str]]:
    """What can be shown of the layer in this kind of map."""
    kind, unit = texts.get("kind", "single"), texts.get("unit", "")
    try:
        definition = layer_definition(texts.get("layer", ""))
    except NotFound:
        return []
    if kind == "single":
        return [{"value": each.key, "label": each.label} for each in category_attributes(definition)]
    if kind == "ranges" and unit == "feature":
        numbers = [{"value": each.key, "label": each.label} for each in number_attributes(definition)]
        return [{"value": "area", "label": "图斑面积（公顷）"}, *numbers]
    if kind == "flow":
        return [{"value": each.key, "label": f"{each.label}（{each.unit}）" if each.unit else each.label} for each in amount_attributes(definition)]
    return [{"value": each.key, "label": f"{each.label}（{each.unit}）"} for each in measures()] if kind == "ranges" else []


def _ends(texts: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    """The fields of the layer that may name where a flow begins or ends."""
    try:
        definition = layer_definition(texts.get("layer", ""))
    except NotFound:
        return ()
    return tuple({"value": each.key, "label": each.label} for each in end_attributes(definition)) if texts.get("kind") == "flow" else ()


def render(request: Request, given: Mapping[str, str], saved: SavedThematicMap | None = None, faults: tuple[FieldFault, ...] = ()) -> Response:
    """The page of a map with these texts; 422 with the faults by field where they cannot be drawn."""
    made: ThematicMap | None = None
    with page.reading(request) as session:
        texts = fitting(session, request, given)
        try:
            spec = read_spec(texts)
            made = made_map(request, session, spec)
        except InvalidData as fault:
            faults = (*faults, *posted.faults_of(fault))
        except NotFound as missing:
            faults = (*faults, FieldFault("area" if "layer" in texts else "layer", missing.message))
        context = _context(request, session, texts, made, saved, faults)
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("专题图", Link("thematic_maps", "专题图")), Crumb(saved.name if saved else "制图"))
    return page.render(
        request, "thematic_maps/make.html", context, title=context.title, crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200
    )


def _context(
    request: Request, session: Session, texts: Mapping[str, str], made: ThematicMap | None, saved: SavedThematicMap | None, faults: tuple[FieldFault, ...]
) -> MakerPage:
    kind = texts.get("kind", "single")
    query = made.spec.to_texts() if made else {}
    return MakerPage(
        title=made.content.title if made else "专题图：还不能成图", texts=_all(texts), carried=query or texts,
        kinds=tuple({"label": entry["label"], "href": url(request, "thematic_map", _switched(texts, key) | ({"saved": str(saved.id)} if saved else {})), "is_current": key == kind} for key, entry in words()["kinds"].items()),
        layers=tuple({"value": key, "label": layer_definition(key).title} for key in catalogue.open_keys(session, page.actor(request))),
        areas=tuple(_areas(texts.get("area", ""))), units=tuple(each for each in choices("units") if each["value"] in words()["kinds"].get(kind, {"units": ()})["units"]),
        fields=tuple(_fields(texts)), ends=_ends(texts), groups={each: tuple(choices(each)) for each in ("methods", "ramps", "weights", "orientations", "secrecy")} | {"papers": paper_choices()},
        faults=faults, picture=url(request, "thematic_map_picture", query) if made else "",
        phone_picture=url(request, "thematic_map_picture", {**query, "screen": "phone"}) if made else "",
        tables=tuple(_shortened(in_words(each)) for each in made.tables) if made else (), facts=_facts(made) if made else (),
        alt=_alt(made) if made else "", saved=saved, is_own=saved is not None and saved.owner_id == page.actor(request).person_id,
        is_newer=_newer(made, saved) if made and saved else "", is_changed=bool(made and saved and query != dict(saved.spec)),
        offices=tuple(_offices()), is_heavy=bool(made and is_heavy(len(made.selection.placed), "pdf")),
    )


def _all(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts with an empty one for every key that is not given, for the fields of the form."""
    plain = MapSpec().to_texts()
    defaults = {"method": "quantile", "count": "5", "ramp": "water", "weight": "area", "paper": "a4", "orientation": "landscape", "secrecy": "internal"}
    area = texts.get("area", "city")
    typed = area.partition(":")[2].replace(";", "\n") if area.startswith(("box:", "shape:")) else ""
    first = next((each["value"] for each in _fields(texts)), "")
    return {key: texts.get(key, defaults.get(key, plain.get(key, ""))) for key in KEYS} | {"area": area, SHAPE: typed, "field": texts.get("field", first)}


def _switched(texts: Mapping[str, str], kind: str) -> dict[str, str]:
    kept = ("layer", "area", "on", "classes", "paper", "orientation", "secrecy")
    return {key: texts[key] for key in kept if key in texts} | {"kind": kind, **({"flows": words()["sample_flows"], "flow_unit": "公顷", "note": "起讫数据为样例"} if kind == "flow" else {})}


def _areas(chosen: str) -> list[Mapping[str, str]]:
    found = [{"value": "city", "label": district_name("310100")}]
    found += [{"value": f"district:{each.code}", "label": each.name} for each in load_account_areas()]
    found += [{"value": f"town:{each.code}", "label": f"{district_name(each.district_code)} › {each.name}"} for each in towns()]
    if chosen.startswith(("box:", "shape:", "case:")):
        label = {"box": "框选范围", "shape": "绘制范围", "case": "办件范围"}[chosen.partition(":")[0]]
        found.insert(0, {"value": chosen, "label": label})
    return found


def _offices() -> list[Mapping[str, str]]:
    own = [{"value": "", "label": "只有自己"}, {"value": "organisation", "label": "本单位"}, {"value": "city", "label": "全市"}]
    return own + [{"value": f"district:{each.code}", "label": each.name} for each in load_account_areas()]


def _facts(made: ThematicMap) -> tuple[Mapping[str, str], ...]:
    denominator, found = scale_of(made.content, made.spec.paper, made.spec.orientation), made.selection
    return (
        {"label": "比例尺", "value": f"1:{denominator:,}（{words()['papers'][made.spec.paper]['label']}{words()['orientations'][made.spec.orientation]}）"},
        {"label": "范围", "value": f"{found.label}，{len(found.placed):,} 个要素"},
        {"label": "数据", "value": f"{found.definition.title}第 {found.edition} 版，{found.effective_on:%Y-%m-%d} 起施行{'（演示生成）' if found.is_generated else ''}"},
    )


def _alt(made: ThematicMap) -> str:
    return f"{made.content.title}。{made.content.drawn.legend.title}，{len(made.content.drawn.legend.keys)} 级或类，数据见图下表格。"


def _newer(made: ThematicMap, saved: SavedThematicMap) -> str:
    now = made.selection.edition
    return f"上次保存时是第 {saved.edition_number} 版，现按第 {now} 版重新绘制。" if now != saved.edition_number else ""


def _shortened(table: WrittenTable) -> WrittenTable:
    return WrittenTable(table.title, table.heads, table.rows[:MOST_SHOWN], table.total, table.numbers)


def picture(request: Request) -> Response:
    """The sheet as SVG; for a phone laid out for its screen."""
    spec = read_spec(texts_of(request.query_params))
    with page.reading(request) as session:
        made = made_map(request, session, spec)
    sheet = made.sheet("phone", "portrait") if request.query_params.get("screen") == "phone" else made.sheet()
    return svg_answer(sheet.svg)


def svg_answer(svg: str) -> Response:
    """A picture that may not run or fetch anything, whatever is in it."""
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def export(request: Request) -> Response:
    """The map as a file, or a job that makes it."""
    texts, kind = texts_of(page.form(request)), posted.text(request, "format", 8)
    if kind not in FORMATS:
        raise InvalidData("没有这种导出格式。请从 PDF、PNG、SVG、xlsx 里选。")
    spec = read_spec(texts)
    with page.reading(request) as session:
        made = made_map(request, session, spec)
    if is_heavy(len(made.selection.placed), kind):
        with page.writing(request) as session:
            job = request_export(session, page.actor(request), spec, kind)
        return page.redirect(request, "job", job_id=job.id)
    return file_answer(written(made, kind), file_name(made, kind), FORMATS[kind])


def file_answer(content: bytes, name: str, media_type: str) -> Response:
    """A file to be saved."""
    headers = {"Content-Disposition": disposition("attachment", name), "Cache-Control": "private, no-store", "Content-Encoding": "identity"}
    return Response(content, media_type=media_type, headers={**headers, "Content-Security-Policy": "sandbox; default-src 'none'"})


def flows(request: Request) -> Response:
    """Read an uploaded table of flows, and go on with it in the address."""
    texts = texts_of(page.form(request))
    try:
        texts["flows"] = read_flows(posted.upload(request, "file").file.read())
    except InvalidData as fault:
        return render(request, {**texts, "kind": "flow"}, faults=tuple(FieldFault(each.field or "file", each.text) for each in posted.faults_of(fault)))
    return page.redirect(request, "thematic_map", query={**texts, "kind": "flow"})

