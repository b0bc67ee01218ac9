"""Screens of quality inspection 质检: the tasks, one task with its findings on the map, schemes laid out, certificates."""
