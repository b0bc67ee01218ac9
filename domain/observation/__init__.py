"""Observations 监测读数: series of measured values, judged by a rule set over a window of time."""
