"""The modules that register panels of the case page; importing this one makes all of them known."""
