"""Importing this module registers every fact provider."""
from domain.facts import house_counts as house_counts
