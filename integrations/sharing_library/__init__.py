"""The shared library of spatial data: patches of cases."""
