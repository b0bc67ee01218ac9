"""The outside systems by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml


@dataclass(frozen=True, slots=True)
class Partner:
    """One outside system: the key used in code and messages, and the name a person reads."""

    key: str
    label: str
    purpose: str


def _load() -> Mapping[str, Partner]:
    text = Path(__file__).with_name("partner.yaml").read_text(encoding="utf-8")
    entries = yaml.safe_load(text)
    return MappingProxyType({key: Partner(key, **entry) for key, entry in entries.items()})


PARTNERS: Mapping[str, Partner] = _load()


def partner(key: str) -> Partner:
    """Return the partner with this key. Raises KeyError naming the keys that exist."""
    if key not in PARTNERS:
        raise KeyError(f"没有名为 {key} 的对接单位；已登记的有 {'、'.join(PARTNERS)}")
    return PARTNERS[key]
