"""Pages of maps beside the one map: thematic maps, prints, saved views, shares and their service addresses."""

from portal.access import PUBLIC, STAFF, Page
from views import map_print, map_views, share_service, shares
from views.thematic_maps import making, saved

POST, GET_POST = ("POST",), ("GET", "POST")
THEMATIC = "/thematic-maps"
SAVED = THEMATIC + "/{map_id:int}"
VIEW = "/map/views/{view_id:int}"
SHARE = "/shares/{share_id:int}"
SERVICE = "/share-service/{token}"

PAGES: list[Page] = [
    Page(THEMATIC, "thematic_maps", saved.index, STAFF),
    Page(THEMATIC + "/make", "thematic_map", making.show, STAFF, is_long=True),
    Page(THEMATIC + "/picture", "thematic_map_picture", making.picture, STAFF, is_long=True),
    Page(THEMATIC + "/export", "export_thematic_map", making.export, STAFF, POST),
    Page(THEMATIC + "/flows", "thematic_map_flows", making.flows, STAFF, POST, largest_mb=making.FLOW_MB),
    Page(THEMATIC + "/save", "save_thematic_map", saved.save, STAFF, POST),
    Page(SAVED, "saved_thematic_map", saved.show, STAFF, is_long=True),
    Page(SAVED + "/rename", "rename_thematic_map", saved.rename, STAFF, POST),
    Page(SAVED + "/share", "share_thematic_map", saved.share, STAFF, POST),
    Page(SAVED + "/copy", "copy_thematic_map", saved.copy, STAFF, POST),
    Page(SAVED + "/delete", "delete_thematic_map", saved.delete, STAFF, POST),
    Page(SAVED + "/restore", "restore_thematic_map", saved.restore, STAFF, POST),
    Page("/map/print", "map_print", map_print.show, STAFF, is_long=True),
    Page("/map/print/export", "export_map_print", map_print.export, STAFF, POST),
    Page("/map/views", "map_views", map_views.index, STAFF),
    Page("/map/views/save", "save_map_view", map_views.save, STAFF, POST),
    Page(VIEW, "map_view", map_views.show, STAFF),
    Page(VIEW + "/open", "open_map_view", map_views.open_view, STAFF),
    Page(VIEW + "/rename", "rename_map_view", map_views.rename, STAFF, POST),
    Page(VIEW + "/share", "share_map_view", map_views.share, STAFF, POST),
    Page(VIEW + "/shares/{share_id:int}/end", "unshare_map_view", map_views.unshare, STAFF, POST),
    Page(VIEW + "/delete", "delete_map_view", map_views.delete, STAFF, POST),
    Page(VIEW + "/restore", "restore_map_view", map_views.restore, STAFF, POST),
    Page("/shares", "shares", shares.index, STAFF),
    Page("/shares/apply", "apply_for_share", shares.apply, STAFF, GET_POST),
    Page(SHARE, "share", shares.show, STAFF),
    Page(SHARE + "/decide", "decide_share", shares.decide, STAFF, POST),
    Page(SHARE + "/withdraw", "withdraw_share", shares.withdraw, STAFF, POST),
    Page(SHARE + "/address", "take_share_address", shares.take_address, STAFF, POST),
    Page(SHARE + "/download", "download_share", shares.download, STAFF, POST),
    Page(SERVICE, "share_service", share_service.describe, PUBLIC),
    Page(SERVICE + "/features", "share_features", share_service.features, PUBLIC, is_long=True),
    Page(SERVICE + "/tiles/{z:int}/{x:int}/{y:int}", "share_tile", share_service.tile, PUBLIC, is_long=True),
]
