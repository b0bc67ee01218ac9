"""The modules that register panels of the case page; importing this one makes all of them known."""
from views import ranges as ranges
from views import outflow as outflow
