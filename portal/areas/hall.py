"""The public hall: guides, filing, one's own cases, their files, and public verification."""

from portal.access import APPLICANTS, PUBLIC, SIGNED_IN, Page, always
from views import files, hall, my_cases, tracking, verification
from views.filing import materials, opening, overview, section, submission

POST = ("POST",)
BOTH = ("GET", "POST")
MATERIALS = "/filing/{code}/materials"

PAGES: list[Page] = [
    Page("/", "hall", hall.show, PUBLIC),
    Page("/hall/{key}", "guide", hall.guide, PUBLIC),
    Page("/hall/{key}/start", "start_filing", opening.start, APPLICANTS, POST, asks_partner=always),
    Page("/template-files/{key}", "template_file", hall.template_file, PUBLIC),
    Page("/my/cases", "my_cases", my_cases.show, APPLICANTS),
    Page("/my/cases/{case_id:int}", "my_case", my_cases.open_case, APPLICANTS),
    Page("/filing/{code}", "filing", overview.show, APPLICANTS),
    Page("/filing/{code}/sources", "filing_refresh", overview.refresh, APPLICANTS, POST, asks_partner=always),
    Page("/filing/{code}/discard", "filing_discard", overview.discard, APPLICANTS, BOTH),
    Page("/filing/{code}/form/{section}", "filing_section", section.show, APPLICANTS),
    Page("/filing/{code}/form/{section}", "filing_save", section.save, APPLICANTS, POST, asks_partner=always),
    Page("/filing/{code}/form/{section}/autosave", "filing_autosave", section.autosave, APPLICANTS, POST),
    Page(MATERIALS, "filing_materials", materials.show, APPLICANTS),
    Page(MATERIALS + "/{slot}", "filing_upload", materials.add, APPLICANTS, POST, largest_mb=materials.LARGEST_MB),
    Page(MATERIALS + "/{slot}/{material_id:int}/replace", "filing_replace", materials.replace, APPLICANTS, POST,
         largest_mb=materials.LARGEST_MB),
    Page(MATERIALS + "/{slot}/{material_id:int}/remove", "filing_remove", materials.remove, APPLICANTS, POST,
         largest_mb=materials.LARGEST_MB),
    Page("/filing/{code}/check", "filing_check", submission.check, APPLICANTS),
    Page("/filing/{code}/submit", "filing_submit", submission.submit, APPLICANTS, POST, asks_partner=always),
    Page("/filing/{code}/receipt", "receipt", submission.receipt, APPLICANTS),
    Page("/track/{code}", "track", tracking.show, APPLICANTS),
    Page("/track/{code}/urge", "urge_own", tracking.urge, APPLICANTS, POST),
    Page("/track/{code}/withdraw", "withdraw_own", tracking.withdraw, APPLICANTS, BOTH),
    Page("/files/materials/{material_id:int}", "material_file", files.material, SIGNED_IN),
    Page("/files/documents/{document_id:int}", "document_file", files.document, SIGNED_IN),
    Page("/verify", "verify", verification.show, PUBLIC),
    Page("/verify", "verify_file", verification.check, PUBLIC, POST, largest_mb=verification.LARGEST_MB),
    Page("/verify/{code}", "verify_code", verification.by_code, PUBLIC),
]
