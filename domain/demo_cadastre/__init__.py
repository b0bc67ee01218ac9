"""The demo cadastre: generated, marked as generated, and the same for the same seed."""

from domain.demo_cadastre.generator import DemoCadastre, demo_settings, generate_demo_cadastre

__all__ = ["DemoCadastre", "demo_settings", "generate_demo_cadastre"]
