"""The code list of the land-use control platforms, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.ports.usage_control import PackageKind, ReportState
from integrations.samples import read_samples


@dataclass(frozen=True, slots=True)
class KindCode:
    """What the platform asks of one kind of package and gives for it."""

    code: str
    label: str
    requires: tuple[str, ...]
    after: tuple[PackageKind, ...] = ()
    number: str | None = None
    cancels: str | None = None


_CODES = read_samples(__file__, "codes.yaml")

KINDS: Mapping[PackageKind, KindCode] = MappingProxyType(
    {
        PackageKind(key): KindCode(
            code=entry["code"],
            label=entry["label"],
            requires=tuple(entry["requires"]),
            after=tuple(PackageKind(kind) for kind in entry.get("after", ())),
            number=entry.get("number"),
            cancels=entry.get("cancels"),
        )
        for key, entry in _CODES["kinds"].items()
    }
)
STATES: Mapping[ReportState, str] = MappingProxyType(
    {ReportState(key): code for key, code in _CODES["states"].items()}
)
STATES_BY_CODE: Mapping[str, ReportState] = MappingProxyType({code: key for key, code in STATES.items()})
REAL_NUMBER: str = _CODES["number_format"]["real"]
SIMULATED_NUMBER: str = _CODES["number_format"]["simulated"]
APPROVAL_FIELDS: tuple[str, ...] = tuple(_CODES["approval_fields"])
REVOCATION_FIELDS: tuple[str, ...] = tuple(_CODES["revocation_fields"])
