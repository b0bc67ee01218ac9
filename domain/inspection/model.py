"""What an inspection finds: findings with their place, and the result that a certificate repeats."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a package.

    `feature` is the number of the row in its layer from 1 (0: the layer or the package as a whole), `key` the value that
    names the feature to its maker. `x`, `y` is the place in the coordinates of the file; `geometry` is what to draw, in
    EPSG:4490 (None where nothing can be drawn). `severity` is error, warning or notice, as the rule set decided.
    """

    code: str
    check: str
    layer: str
    message: str
    severity: str
    fix: str = ""
    feature: int = 0
    key: str = ""
    field: str = ""
    value: str = ""
    x: float | None = None
    y: float | None = None
    geometry: BaseGeometry | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """The whole of an inspection; equal packages, schemes and editions give equal results.

    `counts` has the number of findings by code, `checked` the number of features by layer. `score` is out of 100, by the
    marks that the scheme takes off; `passed` is True without an error and with at least the scheme's lowest score.
    """

    scheme: str
    edition: str
    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    score: Decimal
    passed: bool
    parameters: Mapping[str, str] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    certifies: bool = True
    """False for a variant that finds less than its scheme: its result is no certificate."""

    @property
    def counts(self) -> dict[str, int]:
        """Findings by code, codes in order."""
        return dict(sorted(Counter(finding.code for finding in self.findings).items()))
