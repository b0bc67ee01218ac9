"""PDF from a page, by WeasyPrint; imported only where a PDF is made, because the library takes long to load."""

from functools import cache
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher

OutsideAddress = FatalURLFetchingError


def written(page: str, style_sheet: Path, identifier: bytes) -> bytes:
    """The page as PDF with tags for screen readers; raises OutsideAddress if it asks for anything from outside."""
    source = HTML(string=page, base_url="document:/", url_fetcher=_OnlyOurs())
    return source.write_pdf(stylesheets=[_parsed(style_sheet)], pdf_tags=True, pdf_identifier=identifier)


class _OnlyOurs(URLFetcher):
    """Reads pictures that lie in the page itself (data:); refuses every other address, fatally."""

    def fetch(self, url: str, headers: object = None) -> object:
        if url.startswith("data:image/"):
            return super().fetch(url, headers)
        raise FatalURLFetchingError(url)


@cache
def _parsed(style_sheet: Path) -> CSS:
    """The style sheet, parsed once: it is the same for every document."""
    return CSS(filename=str(style_sheet))
