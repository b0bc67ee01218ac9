"""Simulators of all outside systems in one process: samples only, faults on request, state on disk."""
