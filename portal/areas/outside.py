"""Pages of the exchange with outside systems, and the address they push to."""

from domain.ports.monitoring import READINGS_PATH
from domain.ports.usage_control import CALLBACK_PATH
from portal.access import PUBLIC, Page, roles
from views import callbacks, exchange

READERS = roles("report_admin", "dispatcher", "system_admin")
ADMIN = roles("report_admin")

PAGES: list[Page] = [
    Page(CALLBACK_PATH, "usage_control_callback", callbacks.usage_control_result, PUBLIC, ("POST",), is_machine=True),
    Page(READINGS_PATH, "readings_callback", callbacks.readings, PUBLIC, ("POST",), is_machine=True),
    Page("/exchange", "exchange", exchange.message_list, READERS),
    Page("/exchange/messages/{message_id:int}", "exchange_message", exchange.message, READERS),
    Page("/exchange/messages/{message_id:int}/replay", "exchange_replay", exchange.replay, ADMIN, ("POST",)),
    Page("/exchange/messages/{message_id:int}/cancel", "exchange_cancel", exchange.cancel, ADMIN, ("POST",)),
    Page("/exchange/partners/{partner}/try", "exchange_try", exchange.try_line, ADMIN, ("POST",)),
    Page("/exchange/export", "exchange_export", exchange.begin_export, READERS, ("POST",)),
    Page("/exchange/inbox", "exchange_inbox", exchange.inbox_list, READERS),
    Page("/exchange/inbox/{message_id:int}", "exchange_received", exchange.received_message, READERS),
    Page("/exchange/reconcile", "exchange_reconcile", exchange.reconciliation, READERS),
    Page("/exchange/reconcile/new", "exchange_reconcile_begin", exchange.begin_reconciliation, ADMIN, ("POST",)),
    Page("/exchange/reconcile/{job_id:int}", "exchange_report", exchange.report, READERS),
]
