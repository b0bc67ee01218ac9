"""Importing this module registers every fact provider."""
