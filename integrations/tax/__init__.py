"""The tax collection module: payments of land prices."""
