"""Importing this module registers every delivery."""

import domain.exchange_handlers.case_library
import domain.exchange_handlers.map_service
import domain.exchange_handlers.sharing_library
import domain.exchange_handlers.usage_control
