"""The modules that register job handlers; importing this one makes all of them known to the runner."""

import domain.exchange.export  # noqa: F401
import domain.exchange.reconcile  # noqa: F401
import domain.sweep  # noqa: F401
import domain.case.export  # noqa: F401
