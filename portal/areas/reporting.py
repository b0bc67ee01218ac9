"""Pages of reports to the land-use control platform, of payments, and of linked cases."""

from portal.access import STAFF, Page, roles
from views import linked_cases, payments, usage_control
from views.navigation import REPORT_READERS

READERS = roles(*REPORT_READERS)
TRANSFEROR = roles("district_transferor")
CASE = "/cases/{case_id:int}"

PAGES: list[Page] = [
    Page("/usage-control", "usage_control", usage_control.report_list_page, READERS),
    Page("/usage-control/export", "usage_control_export", usage_control.begin_export, READERS, ("POST",)),
    Page("/usage-control/matters", "usage_control_matters", usage_control.matters, READERS),
    Page("/usage-control/matters/{key}", "usage_control_matter", usage_control.matter, READERS),
    Page("/usage-control/rounds/{round_id:int}", "usage_control_round", usage_control.round_page, READERS),
    Page(CASE + "/usage-control", "case_usage_control", usage_control.case_page, STAFF),
    Page(CASE + "/linked/{relation}", "open_linked", linked_cases.open_linked, STAFF, ("GET", "POST")),
    Page(CASE + "/tasks/{task_id:int}/payments", "add_payment", payments.add, TRANSFEROR, ("POST",)),
    Page(CASE + "/payments/{record_id:int}/void", "void_payment", payments.void, TRANSFEROR, ("POST",)),
]
