"""Pages of the books: ledgers, details, plots of a case."""

from domain import role
from portal.access import STAFF, Page, roles
from views import ledgers, plots

READERS = roles(*(key for key, each in role.roles().items() if "ledgers" in each.may))
CITY = roles("city_handler", "city_viewer")
GET_POST = ("GET", "POST")
POST = ("POST",)
PLOTS = "/cases/{case_id:int}/plots"

PAGES: list[Page] = [
    Page("/ledgers", "ledgers", ledgers.index, READERS),
    Page("/ledgers/accounts/{pool}/{area}", "ledger_statement", ledgers.show_statement, READERS),
    Page("/ledgers/details/{list_key}", "ledger_details", ledgers.show_details, READERS),
    Page("/ledgers/changes", "ledger_changes", ledgers.show_changes, READERS),
    Page("/ledgers/export", "ledger_export", ledgers.export, READERS, POST),
    Page("/ledgers/recount", "ledger_recount", ledgers.recount, CITY, GET_POST),
    Page("/plots/template", "plot_template", plots.template, STAFF),
    Page(PLOTS, "case_plots", plots.show, STAFF),
    Page(PLOTS + "/upload", "upload_plots", plots.send, STAFF, POST, largest_mb=10),
    Page(PLOTS + "/remove", "remove_plot", plots.remove, STAFF, POST),
    Page(PLOTS + "/clear", "clear_plots", plots.clear, STAFF, GET_POST),
    Page(PLOTS + "/export", "export_plots", plots.export, STAFF, POST),
]
