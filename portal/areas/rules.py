"""Pages of the rules workbench: reading is for all staff, drafts and publication for those who keep the rules."""

from portal.access import STAFF, Page, roles
from views import observations
from views.rules import (
    by_project,
    conflicts,
    decisions,
    draft_cases,
    draft_parameters,
    draft_rules,
    draft_text,
    drafts,
    editions,
    library,
    reading,
    replays,
    review,
)

KEEPERS = roles("rule_maintainer")
FORM, POST = ("GET", "POST"), ("POST",)
DRAFT = "/rule-drafts/{draft_id:int}"
EDITION = "/rule-editions/{edition_id:int}"
REPLAY = "/rule-replays/{replay_id:int}"
DECISION = "/rule-decisions/{decision_id:int}"
SERIES = "/observations/{series_id:int}"
CONFLICT = "/rule-files/conflicts/{conflict_id:int}"

PAGES: list[Page] = [
    Page("/rules", "rules", library.library, STAFF),
    Page("/rules/by-project", "rules_by_project", by_project.show, STAFF),
    Page("/rules/{key}", "rule", reading.show, STAFF),
    Page("/rules/{key}/draft", "open_rule_draft", drafts.open_one, KEEPERS, POST),
    Page("/rules/{key}/{tab}", "rule_tab", reading.tab, STAFF),
    Page(f"{EDITION}/roll-back", "roll_back_rule", editions.go_back, KEEPERS, FORM),
    Page(f"{EDITION}/cancel", "cancel_rule_schedule", editions.cancel, KEEPERS, FORM),
    Page("/rule-drafts", "rule_drafts", drafts.list_drafts, KEEPERS),
    Page("/rule-drafts/new", "new_rule_set", drafts.new_set, KEEPERS, FORM),
    Page(DRAFT, "rule_draft", review.show, KEEPERS),
    Page(f"{DRAFT}/parameters", "rule_draft_parameters", draft_parameters.show, KEEPERS, FORM),
    Page(f"{DRAFT}/rules", "rule_draft_rules", draft_rules.show, KEEPERS),
    Page(f"{DRAFT}/rules/{{rule}}", "rule_draft_rule", draft_rules.rule, KEEPERS, FORM),
    Page(f"{DRAFT}/tables/{{table}}/{{number:int}}", "rule_draft_table_row", draft_rules.table_row, KEEPERS, FORM),
    Page(f"{DRAFT}/cases", "rule_draft_cases", draft_cases.show, KEEPERS, FORM),
    Page(f"{DRAFT}/cases/{{number:int}}", "rule_draft_case", draft_cases.case, KEEPERS, FORM),
    Page(f"{DRAFT}/yaml", "rule_draft_yaml", draft_text.yaml, KEEPERS, FORM),
    Page(f"{DRAFT}/workbook", "rule_draft_workbook", draft_text.workbook, KEEPERS, FORM, largest_mb=20),
    Page(f"{DRAFT}/workbook.xlsx", "download_rule_draft", draft_text.download, KEEPERS),
    Page(f"{DRAFT}/check", "check_rule_draft", drafts.check, KEEPERS, POST),
    Page(f"{DRAFT}/take-over", "take_over_rule_draft", drafts.take_over, KEEPERS, POST),
    Page(f"{DRAFT}/release", "release_rule_draft", drafts.release, KEEPERS, POST),
    Page(f"{DRAFT}/rebase", "rebase_rule_draft", drafts.rebase, KEEPERS, POST),
    Page(f"{DRAFT}/discard", "discard_rule_draft", drafts.discard, KEEPERS, FORM),
    Page(f"{DRAFT}/submit", "submit_rule_draft", review.submit, KEEPERS, POST),
    Page(f"{DRAFT}/return", "return_rule_draft", review.give_back, KEEPERS, POST),
    Page(f"{DRAFT}/approve", "approve_rule_draft", review.approve, KEEPERS, POST),
    Page(f"{DRAFT}/publish", "publish_rule_draft", review.publish, KEEPERS, POST),
    Page(f"{DRAFT}/replay", "start_rule_replay", replays.start, KEEPERS, POST),
    Page(REPLAY, "rule_replay", replays.show, KEEPERS),
    Page(f"{REPLAY}/cancel", "cancel_rule_replay", replays.cancel, KEEPERS, POST),
    Page(f"{REPLAY}/resume", "resume_rule_replay", replays.resume, KEEPERS, POST),
    Page(f"{REPLAY}/export", "export_rule_replay", replays.export_list, KEEPERS, POST),
    Page(DECISION, "rule_decision", decisions.show, STAFF),
    Page(f"{DECISION}/golden/{{draft_id:int}}", "rule_decision_golden", decisions.golden, KEEPERS, FORM),
    Page("/observations", "observations", observations.series_list, STAFF),
    Page("/observations/new", "new_observation_series", observations.new, roles("rule_maintainer", "system_admin"), FORM),
    Page(SERIES, "observation_series", observations.show, STAFF),
    Page(f"{SERIES}/readings", "enter_observation", observations.enter, roles("district_handler", "city_handler"), POST),
    Page(f"{SERIES}/export", "export_observations", observations.begin_export, STAFF, POST),
    Page("/rule-files", "rule_files", conflicts.list_files, KEEPERS),
    Page(CONFLICT, "rule_conflict", conflicts.show, KEEPERS),
    Page(f"{CONFLICT}/take-file", "take_rule_file", conflicts.take_file, KEEPERS, POST),
    Page(f"{CONFLICT}/keep-published", "keep_rule_published", conflicts.keep_published, KEEPERS, POST),
]
