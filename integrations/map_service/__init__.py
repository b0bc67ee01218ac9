"""The map service of the city: features of cases."""
