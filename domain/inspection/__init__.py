"""Quality inspection of spatial packages: schemes, what is found, and what certifies it."""

from domain.inspection.model import Finding, InspectionResult

__all__ = ["Finding", "InspectionResult"]
