"""Benchmarks of the portal, run by `portal bench`; each beside a peer or a limit."""
