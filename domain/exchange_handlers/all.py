"""Importing this module registers every delivery."""

import domain.exchange_handlers.case_library
import domain.exchange_handlers.usage_control
