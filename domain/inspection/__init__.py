"""Quality inspection of spatial packages: schemes, what is found, and what certifies it."""

from domain.inspection.inspecting import counted, inspect, score_of
from domain.inspection.model import Finding, InspectionResult
from domain.inspection.scheme import Scheme, Variant, schemes
from domain.inspection.subject import InspectionRefused

__all__ = ["Finding", "InspectionRefused", "InspectionResult", "Scheme", "Variant", "counted", "inspect", "schemes", "score_of"]
