"""Analysis of rule sets by regions: what can hold together, what cannot, what is left uncovered."""
