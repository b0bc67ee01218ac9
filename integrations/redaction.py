"""Redaction of what goes over the wire; the rules are those of domain.redaction, which screens use too."""

from domain.redaction import PERSONAL_FIELDS, SECRET_FIELDS, readable, redact

__all__ = ["PERSONAL_FIELDS", "SECRET_FIELDS", "readable", "redact"]
