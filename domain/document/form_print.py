"""The print of a whole form, and the sheet of opinions 审批单: generic for every case type.

The caller hands in what is shown, already in words (domain/form.py makes it from definitions and values);
this module only lays it out as document content. An empty field is printed as 「—」, so that a reader sees
that it was asked and not answered.
"""

from collections.abc import Iterable, Sequence

from domain.document.content import DocumentContent, Opinion, Row, Section, Table

EMPTY = "—"


def section(title: str, values: Iterable[tuple[str, str]], tables: Sequence[Table] = ()) -> Section:
    """A section of a form from pairs of label and printed value."""
    return Section(title, tuple(Row(label, value.strip() or EMPTY) for label, value in values), tuple(tables))


def entries_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]],
                  numeric: Sequence[bool] = ()) -> Table:
    """A repeated group as a numbered table; refuses a row whose length differs from the head's."""
    body = []
    for position, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise ValueError(f"row {position} of table {title} has {len(row)} cells, the head has {len(columns)}")
        body.append((str(position), *(cell.strip() or EMPTY for cell in row)))
    flags = tuple(numeric) or (False,) * len(columns)
    return Table(title, ("序号", *columns), tuple(body), (True, *flags))


def application_form(title: str, issuer: str, sections: Iterable[Section], enclosures: Iterable[str] = (),
                     statement: str = "") -> DocumentContent:
    """The application form as filed: every section and field, the materials handed in, the statement signed."""
    paragraphs = (statement,) if statement else ()
    return DocumentContent(
        template="form", title=title, issuer=issuer, sections=tuple(sections), enclosures=tuple(enclosures),
        paragraphs=paragraphs, receipt=bool(statement),
    )


def opinion_sheet(title: str, issuer: str, sections: Iterable[Section],
                  opinions: Iterable[Opinion]) -> DocumentContent:
    """The sheet of opinions: what was asked for, and what every step said about it, in order."""
    return DocumentContent(template="summary", title=title, issuer=issuer, sections=tuple(sections),
                           opinions=tuple(opinions))
