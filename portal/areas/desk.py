"""Pages of the desk: lists, the case page with its operations, jobs and saved filters."""

import views.all_panels  # noqa: F401  (registers the panels of the case page)
from portal.access import PUBLIC, SIGNED_IN, STAFF, Page, always, unless_autosaved, when_asked
from views import (
    batch,
    case,
    case_actions,
    case_materials,
    case_operations,
    case_start,
    cases,
    desk,
    functions,
    jobs,
    manuals,
    saved_filters,
)

GET_POST = ("GET", "POST")
POST = ("POST",)
CASE = "/cases/{case_id:int}"
TASK = CASE + "/tasks/{task_id:int}"

PAGES: list[Page] = [
    Page("/desk", "desk", desk.desk, STAFF),
    Page("/desk/filters/new", "new_filter", saved_filters.new, STAFF, GET_POST),
    Page("/desk/filters/{filter_id:int}", "edit_filter", saved_filters.edit, STAFF, GET_POST),
    Page("/desk/filters/{filter_id:int}/open", "open_filter", saved_filters.open_saved, STAFF),
    Page("/desk/filters/{filter_id:int}/delete", "delete_filter", saved_filters.delete, STAFF, POST),
    Page("/cases", "cases", cases.cases, STAFF),
    Page("/cases/export", "export_cases", cases.export, STAFF, POST),
    Page("/cases/batch", "batch", batch.batch, STAFF, GET_POST),
    Page("/cases/new", "new_case", case_start.start_list, STAFF),
    Page("/cases/new/{key}", "start_case", case_start.start, STAFF, GET_POST, asks_partner=always),
    Page(CASE, "case", case.show, STAFF, asks_partner=when_asked),
    Page(CASE + "/tabs/{tab}", "case_tab", case.tab, STAFF),
    Page(CASE + "/snapshot", "case_snapshot", case.snapshot_file, STAFF),
    Page(CASE + "/decisions/{decision_id:int}", "decision_again", case_actions.decision_again, STAFF),
    Page(CASE + "/materials/{slot}", "upload_material", case_materials.upload, STAFF, POST, largest_mb=500),
    Page(CASE + "/materials/{material_id:int}/remove", "remove_material", case_materials.remove, STAFF, POST),
    Page(CASE + "/do/{operation}", "case_operation", case_operations.case_operation, STAFF, GET_POST),
    Page(TASK + "/claim", "claim", case_actions.claim, STAFF, POST),
    Page(TASK + "/save", "save_step", case_actions.save, STAFF, POST, asks_partner=unless_autosaved),
    Page(TASK + "/act", "act", case_actions.act, STAFF, POST, asks_partner=always),
    Page(TASK + "/act/{action}", "confirm_action", case_actions.confirm, STAFF, GET_POST, asks_partner=always),
    Page(TASK + "/documents/{key}", "issue_document", case_actions.issue, STAFF, POST),
    Page(TASK + "/do/{operation}", "task_operation", case_operations.task_operation, STAFF, GET_POST),
    Page("/jobs", "jobs", jobs.job_list, SIGNED_IN),
    Page("/jobs/{job_id:int}", "job", jobs.show, SIGNED_IN),
    Page("/jobs/{job_id:int}/cancel", "cancel_job", jobs.cancel, SIGNED_IN, POST),
    Page("/jobs/{job_id:int}/retry", "retry_job", jobs.retry, SIGNED_IN, POST),
    Page("/jobs/{job_id:int}/result", "job_result", jobs.result, SIGNED_IN),
    Page("/functions", "functions", functions.functions, PUBLIC),
    Page("/help", "help", manuals.contents, PUBLIC),
    Page("/help/{key}", "manual", manuals.manual, PUBLIC),
]
