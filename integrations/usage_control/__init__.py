"""The land-use control platforms of the ministry and the city."""
