"""Pages of space: ranges of cases, and the one map."""

from portal.access import SIGNED_IN, STAFF, Page
from views import case_map, district_report, map, map_measure, map_query, ranges
from views.coordinates import fit as coordinate_fit
from views.coordinates import pages as coordinates
from views.overlays import form as overlay_form
from views.overlays import pages as overlay_pages
from views.overlays import result as overlay_result

GET_POST = ("GET", "POST")
POST = ("POST",)
RANGES = "/cases/{case_id:int}/ranges"
RANGE = RANGES + "/{range_id:int}"
OVERLAY = "/overlays/{run_id:int}"

PAGES: list[Page] = [
    Page(RANGES + "/new", "new_range", ranges.new, SIGNED_IN, GET_POST, largest_mb=50),
    Page(RANGE, "range", ranges.show, SIGNED_IN),
    Page(RANGE + "/crs", "declare_range", ranges.declare, SIGNED_IN, POST),
    Page(RANGE + "/confirm", "confirm_range", ranges.confirm, SIGNED_IN, POST),
    Page(RANGE + "/remove", "remove_range", ranges.remove, SIGNED_IN, POST),
    Page(RANGE + "/file", "range_file", ranges.file, SIGNED_IN),
    Page(RANGE + "/map", "range_map", case_map.show_range, SIGNED_IN),
    Page("/cases/{case_id:int}/map", "case_map", case_map.show, STAFF),
    Page("/map", "map", map.show, STAFF),
    Page("/map/text", "map_text", map.text, STAFF),
    Page("/map/facts", "map_facts", map.facts, STAFF),
    Page("/map/ranges", "map_ranges", map.ranges, STAFF),
    Page("/map/selected", "map_selected", map.selected, STAFF),
    Page("/map/measure", "map_measure", map_measure.show, STAFF),
    Page("/map/query", "map_query", map_query.show, STAFF),
    Page("/map/districts", "district_report", district_report.show, STAFF),
    Page("/map/tiles/{layer}/{edition:int}/{z:int}/{x:int}/{y:int}", "map_tile", map.tile, STAFF),
    Page("/coordinates", "coordinates", coordinates.show, STAFF, GET_POST, largest_mb=2),
    Page("/coordinates/file", "coordinates_file", coordinates.file, STAFF, POST),
    Page("/coordinates/fit", "coordinate_fit", coordinate_fit.show, STAFF, GET_POST),
    Page("/overlays", "overlays", overlay_pages.index, STAFF),
    Page("/overlays/new", "new_overlay", overlay_form.new, STAFF, GET_POST, largest_mb=50),
    Page("/overlays/compare", "compare_overlays", overlay_pages.compare, STAFF),
    Page("/overlays/analyses/{key}", "overlay_scheme", overlay_pages.show_scheme, STAFF, GET_POST),
    Page(OVERLAY, "overlay", overlay_result.show, STAFF),
    Page(OVERLAY + "/file", "overlay_file", overlay_result.file, STAFF),
    Page(OVERLAY + "/again", "overlay_again", overlay_pages.again, STAFF, POST),
    Page(OVERLAY + "/export", "export_overlay", overlay_pages.export, STAFF, POST),
    Page(OVERLAY + "/delete", "delete_overlay", overlay_pages.delete, STAFF, GET_POST),
]
"""The route table by area of the portal: each module lists its PAGES."""
