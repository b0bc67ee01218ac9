"""The form engine: definitions × values → what is shown, taken in, wrong, and said to the rules."""

from domain.form.content import Content, Spot
from domain.form.fault import FieldFault
from domain.form.form import Decide, Form
from domain.form.view import (
    Choice,
    Difference,
    EntryView,
    FieldView,
    FormError,
    IndexEntry,
    PrintSection,
    SectionView,
)

__all__ = [
    "Choice",
    "Content",
    "Decide",
    "Difference",
    "EntryView",
    "FieldFault",
    "FieldView",
    "Form",
    "FormError",
    "IndexEntry",
    "PrintSection",
    "SectionView",
    "Spot",
]
