"""Editing rule files as text: what is not touched keeps its comments, order and layout, character by character."""

from .draft import Draft, EditRefused

__all__ = ["Draft", "EditRefused"]
