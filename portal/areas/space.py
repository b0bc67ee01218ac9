"""Pages of space: ranges of cases, the one map, layers, and overlays."""

from domain import layer_update
from portal.access import SIGNED_IN, STAFF, Page, roles
from views import (
    case_map,
    district_report,
    layer_comparison,
    map,
    map_favourites,
    map_measure,
    map_query,
    ranges,
    sketches,
)
from views.coordinates import fit as coordinate_fit
from views.coordinates import pages as coordinates
from views.layer_updates import form as update_form
from views.layer_updates import show as update_page
from views.layers import detail as layer_detail
from views.layers import editing as layer_editing
from views.layers import feature as layer_feature
from views.layers import features as layer_features
from views.layers import listing as layer_listing
from views.overlays import form as overlay_form
from views.overlays import pages as overlay_pages
from views.overlays import result as overlay_result

GET_POST = ("GET", "POST")
POST = ("POST",)
RANGES = "/cases/{case_id:int}/ranges"
RANGE = RANGES + "/{range_id:int}"
OVERLAY = "/overlays/{run_id:int}"
LAYER = "/layers/{key}"
UPDATE = LAYER + "/updates/{update_id:int}"
CHANGE = roles(*layer_update.roles_with_right())
SKETCH = "/map/sketches/{sketch_id:int}"

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
    Page("/map/query", "map_query", map_query.show, STAFF, is_long=True),
    Page("/map/query/shapes", "map_query_shapes", map_query.shapes, STAFF, is_long=True),
    Page("/map/query/export", "export_map_query", map_query.export, STAFF, POST),
    Page("/map/sketches", "sketches", sketches.index, STAFF),
    Page("/map/sketches/upload", "upload_sketch", sketches.upload, STAFF, POST, largest_mb=50),
    Page("/map/sketch", "new_sketch", sketches.new, STAFF, GET_POST),
    Page("/map/sketch/read", "read_sketch", sketches.read, STAFF),
    Page("/map/sketch/near", "sketch_near", sketches.near, STAFF),
    Page(SKETCH, "sketch", sketches.show, STAFF, GET_POST),
    Page(SKETCH + "/file", "sketch_file", sketches.file, STAFF),
    Page(SKETCH + "/range", "sketch_range", sketches.to_case, STAFF, POST),
    Page(SKETCH + "/share", "share_sketch", sketches.share, STAFF, POST),
    Page(SKETCH + "/delete", "delete_sketch", sketches.delete, STAFF, POST),
    Page(SKETCH + "/restore", "restore_sketch", sketches.restore, STAFF, POST),
    Page("/map/favourites", "map_favourites", map_favourites.change, STAFF, POST),
    Page("/map/districts", "district_report", district_report.show, STAFF, is_long=True),
    Page("/map/tiles/{layer}/{edition:int}/{z:int}/{x:int}/{y:int}", "map_tile", map.tile, STAFF, is_long=True),
    Page("/coordinates", "coordinates", coordinates.show, STAFF, GET_POST, largest_mb=2),
    Page("/coordinates/file", "coordinates_file", coordinates.file, STAFF, POST),
    Page("/coordinates/fit", "coordinate_fit", coordinate_fit.show, STAFF, GET_POST),
    Page("/layers", "layers", layer_listing.index, STAFF),
    Page("/layers/compare", "compare_layers", layer_comparison.index, STAFF),
    Page("/layers/compare/export", "export_comparison", layer_comparison.export, STAFF, POST),
    Page(LAYER, "layer", layer_detail.show, STAFF),
    Page(LAYER + "/versions", "layer_versions", layer_detail.show_versions, STAFF),
    Page(LAYER + "/features", "layer_features", layer_features.show, STAFF),
    Page(LAYER + "/feature", "layer_feature", layer_feature.show, STAFF),
    Page(LAYER + "/export", "export_layer", layer_features.export, STAFF, POST),
    Page(LAYER + "/edit", "edit_layer", layer_editing.edit, STAFF, GET_POST),
    Page(LAYER + "/update", "update_layer", update_form.new, CHANGE, GET_POST, largest_mb=update_form.LARGEST_MB),
    Page(LAYER + "/restore", "restore_layer", update_form.restore, CHANGE, GET_POST),
    Page(UPDATE, "layer_update", update_page.show, CHANGE),
    Page(UPDATE + "/decide", "decide_layer_update", update_page.decide, CHANGE, POST),
    Page(UPDATE + "/confirm", "confirm_layer_update", update_page.confirm, CHANGE, POST),
    Page(UPDATE + "/compare", "compare_layer_update", update_page.compare_again, CHANGE, POST),
    Page(UPDATE + "/drop", "drop_layer_update", update_page.drop, CHANGE, POST),
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
