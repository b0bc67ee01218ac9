"""Benchmark of the rule engine: speed beside zen-engine, a large table, endurance, and engines that must agree.

`ours` and `peer` are decisions a second, measured in turns in the same run, the best of several rounds; `ratio` above
1 means that we are faster. The scale shortens the endurance and the random comparisons, not the rounds of speed.
"""

from typing import Any

from . import differential, endurance, large_table, peer, table_page


def rows(scale: float) -> list[dict[str, Any]]:
    """Every row; raises AssertionError or EngineDisagreement when two sides give different answers."""
    return [*peer.rows(scale), *large_table.rows(scale), *table_page.rows(scale), *endurance.rows(scale), *differential.rows(scale)]
