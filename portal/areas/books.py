"""Pages of this area."""

from portal.access import Page

PAGES: list[Page] = []
