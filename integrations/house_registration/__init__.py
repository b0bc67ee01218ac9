"""The house registration module: counts of houses, agreements and decisions."""
