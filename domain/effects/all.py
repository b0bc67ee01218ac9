"""Importing this module registers every effect."""
