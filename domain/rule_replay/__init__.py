"""Replay 回放: what a draft of a rule set would have answered in every case that was decided by it."""
