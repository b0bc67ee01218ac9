"""The three administrators' pages: accounts and settings (system), roles and sessions (security), the trail (audit)."""

from portal.access import Page, roles
from views import audit
from views.administration import (
    calendars,
    demo_date,
    dictionaries,
    jobs,
    organisations,
    overview,
    parameters,
    people,
    template_files,
)

SYSTEM, SECURITY, AUDIT = roles("system_admin"), roles("security_admin"), roles("audit_admin")
BOTH = roles("system_admin", "security_admin")
POST, FORM = ("POST",), ("GET", "POST")
PEOPLE = "/administration/people"
PERSON = f"{PEOPLE}/{{person_id:int}}"
OFFICE = "/administration/organisations/{organisation_id:int}"
DICTIONARY = "/administration/dictionaries/{key}"
ENTRY = f"{DICTIONARY}/entries/{{value}}"
CALENDAR = "/administration/calendar"
TEMPLATE = "/administration/template-files/{key}"
JOB = "/administration/jobs/{job_id:int}"

PAGES: list[Page] = [
    Page("/administration", "administration", overview.show, BOTH),
    Page(PEOPLE, "administered_people", people.list_people, BOTH),
    Page(f"{PEOPLE}/new", "create_person", people.create, SYSTEM, FORM),
    Page(PERSON, "administered_person", people.show, BOTH),
    Page(f"{PERSON}/change", "change_person", people.change, SYSTEM, POST),
    Page(f"{PERSON}/disable", "disable_person", people.disable, SYSTEM, POST),
    Page(f"{PERSON}/enable", "enable_person", people.enable, SYSTEM, POST),
    Page(f"{PERSON}/absence", "begin_absence_for", people.begin_absence, SYSTEM, POST),
    Page(f"{PERSON}/password", "reset_password", people.reset_password, BOTH, POST),
    Page(f"{PERSON}/unlock", "unlock_person", people.unlock, SECURITY, POST),
    Page(f"{PERSON}/sessions", "end_person_sessions", people.end_sessions, SECURITY, POST),
    Page(f"{PERSON}/roles", "grant_role", people.grant, SECURITY, POST),
    Page("/administration/roles/{grant_id:int}/revoke", "revoke_role", people.revoke, SECURITY, FORM),
    Page("/administration/organisations", "organisations", organisations.list_organisations, SYSTEM),
    Page("/administration/organisations/new", "create_organisation", organisations.create, SYSTEM, FORM),
    Page(OFFICE, "organisation", organisations.change, SYSTEM, FORM),
    Page(f"{OFFICE}/active", "set_organisation_active", organisations.set_active, SYSTEM, POST),
    Page("/administration/dictionaries", "dictionaries", dictionaries.list_dictionaries, SYSTEM),
    Page(DICTIONARY, "dictionary", dictionaries.show, SYSTEM),
    Page(f"{DICTIONARY}/entries", "add_dictionary_entry", dictionaries.add, SYSTEM, POST),
    Page(f"{DICTIONARY}/order", "reorder_dictionary", dictionaries.reorder, SYSTEM, POST),
    Page(ENTRY, "dictionary_entry", dictionaries.entry, SYSTEM),
    Page(f"{ENTRY}/label", "relabel_dictionary_entry", dictionaries.relabel, SYSTEM, POST),
    Page(f"{ENTRY}/retire", "retire_dictionary_entry", dictionaries.retire, SYSTEM, POST),
    Page(f"{ENTRY}/restore", "restore_dictionary_entry", dictionaries.restore, SYSTEM, POST),
    Page("/administration/parameters", "parameters", parameters.list_parameters, SYSTEM),
    Page("/administration/parameters/{key}", "parameter", parameters.change, SYSTEM, FORM),
    Page("/administration/parameters/{key}/reset", "reset_parameter", parameters.reset, SYSTEM, POST),
    Page(CALENDAR, "calendars", calendars.show, SYSTEM),
    Page(f"{CALENDAR}/day", "correct_calendar_day", calendars.correct_day, SYSTEM, POST),
    Page(f"{CALENDAR}/day/drop", "drop_calendar_correction", calendars.drop_correction, SYSTEM, POST),
    Page(f"{CALENDAR}/official", "set_calendar_official", calendars.set_official, SYSTEM, POST),
    Page(f"{CALENDAR}/table", "load_calendar_year", calendars.load_year, SYSTEM, POST, largest_mb=1),
    Page(f"{CALENDAR}/revisions/{{revision_id:int}}", "calendar_revision", calendars.revision, SYSTEM),
    Page("/administration/template-files", "template_files", template_files.list_templates, SYSTEM),
    Page(TEMPLATE, "template_file_versions", template_files.show, SYSTEM),
    Page(f"{TEMPLATE}/put", "put_template_file", template_files.put, SYSTEM, POST, largest_mb=20),
    Page(f"{TEMPLATE}/roll-back", "roll_back_template_file", template_files.roll_back, SYSTEM, POST),
    Page(f"{TEMPLATE}/versions/{{version:int}}", "template_file_version", template_files.download, SYSTEM),
    Page("/administration/jobs", "administered_jobs", jobs.list_jobs, SYSTEM),
    Page(JOB, "administered_job", jobs.show, SYSTEM),
    Page(f"{JOB}/cancel", "cancel_administered_job", jobs.cancel, SYSTEM, POST),
    Page(f"{JOB}/retry", "retry_administered_job", jobs.retry, SYSTEM, POST),
    Page("/administration/demo-date", "demo_date", demo_date.show, SYSTEM, FORM),
    Page("/audit", "audit", audit.list_entries, AUDIT),
    Page("/audit/{entry_id:int}", "audit_entry", audit.show, AUDIT),
    Page("/audit/verify", "verify_audit", audit.verify, AUDIT, POST),
    Page("/audit/export", "export_audit", audit.export, AUDIT, POST),
]
