"""What a person may state of an uploaded spatial file that does not say it itself: its coordinate system and its encoding."""

from collections.abc import Mapping

from domain.projection import system_of_srid

SYSTEMS = ("EPSG:4490", "EPSG:4326", "EPSG:4528", "EPSG:4549", "EPSG:4529", "EPSG:4550")
ENCODINGS = ("GBK", "GB18030", "UTF-8", "BIG5")


def system_choices() -> tuple[Mapping[str, str], ...]:
    """The coordinate systems as choices of a form."""
    return tuple({"value": each, "label": system_of_srid(int(each.partition(":")[2])).title} for each in SYSTEMS)


def encoding_choices() -> tuple[Mapping[str, str], ...]:
    """The encodings as choices of a form."""
    return tuple({"value": each, "label": each} for each in ENCODINGS)
