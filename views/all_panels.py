"""The modules that register panels of the case page; importing this one makes all of them known."""
from views import case_panels as case_panels
from views import outflow as outflow
from views import payments as payments
from views import plots as plots
from views import ranges as ranges
from views import usage_control as usage_control
from views.inspections import patches as patches
