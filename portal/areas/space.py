"""Pages of space: ranges of cases, and the one map."""

from portal.access import SIGNED_IN, Page
from views import ranges

GET_POST = ("GET", "POST")
POST = ("POST",)
RANGES = "/cases/{case_id:int}/ranges"
RANGE = RANGES + "/{range_id:int}"

PAGES: list[Page] = [
    Page(RANGES + "/new", "new_range", ranges.new, SIGNED_IN, GET_POST, largest_mb=50),
    Page(RANGE, "range", ranges.show, SIGNED_IN),
    Page(RANGE + "/crs", "declare_range", ranges.declare, SIGNED_IN, POST),
    Page(RANGE + "/confirm", "confirm_range", ranges.confirm, SIGNED_IN, POST),
    Page(RANGE + "/remove", "remove_range", ranges.remove, SIGNED_IN, POST),
    Page(RANGE + "/file", "range_file", ranges.file, SIGNED_IN),
]
"""The route table by area of the portal: each module lists its PAGES."""
