"""The case library of the city: results of cases and their corrections."""
