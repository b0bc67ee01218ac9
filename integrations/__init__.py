"""One folder per outside system: its client, the mapping of its codes, and its simulator."""
