"""The one route table: every path, its name, its action, and who may use it."""

from importlib import import_module

from starlette.convertors import IntegerConvertor, register_url_convertor

from portal.access import Page

AREAS = (
    "portal.areas.entrance",
    "portal.areas.hall",
    "portal.areas.desk",
    "portal.areas.rules",
    "portal.areas.space",
    "portal.areas.inspection",
    "portal.areas.maps",
    "portal.areas.books",
    "portal.areas.outside",
    "portal.areas.reporting",
    "portal.areas.administration",
)
"""Each area is a module with a list PAGES; their union is the table."""

PAGES: tuple[Page, ...] = tuple(page for area in AREAS for page in import_module(area).PAGES)


class RowNumber(IntegerConvertor):
    """An id in an address: as many digits as a row can have, so that a longer number is a page that there is not."""

    regex = "[0-9]{1,18}"


register_url_convertor("int", RowNumber())
