"""Updates of layers 图层更新: upload, difference, confirmation, one edition, and the way back."""

from domain.layer_update.access import roles_with_right, update_of, updates_of
from domain.layer_update.course import Grounds, compare_again, confirm, decide, drop, request, restore
from domain.layer_update.definition import StoredUpload, UpdateRequest, ways_of
from domain.layer_update.tables import LayerUpdate

__all__ = [
    "Grounds",
    "LayerUpdate",
    "StoredUpload",
    "UpdateRequest",
    "compare_again",
    "confirm",
    "decide",
    "drop",
    "request",
    "restore",
    "roles_with_right",
    "update_of",
    "updates_of",
    "ways_of",
]
