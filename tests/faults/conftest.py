"""The fixtures of the case engine, for the tests of faults."""

from tests.domain.case.conftest import applicant, filing, office, officers, tree_office

__all__ = ["applicant", "filing", "office", "officers", "tree_office"]
