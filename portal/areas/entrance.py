"""Coming in and going out, one's own account, absence, notices, and whether the portal is well."""

from portal.access import PUBLIC, SIGNED_IN, STAFF, Page, always
from views import absences, account, gallery, health, notices, sign_in

PAGES: list[Page] = [
    Page("/sign-in", "sign_in", sign_in.sign_in_page, PUBLIC),
    Page("/sign-in", "sign_in_with_password", sign_in.sign_in_with_password, PUBLIC, ("POST",)),
    Page("/sign-in/enterprise", "leave_for_provider", sign_in.leave_for_provider, PUBLIC, asks_partner=always),
    Page("/sign-in/return", "return_from_provider", sign_in.return_from_provider, PUBLIC, asks_partner=always),
    Page("/sign-out", "sign_out", sign_in.sign_out, PUBLIC, ("POST",)),
    Page("/sign-out/done", "signed_out", sign_in.signed_out, PUBLIC),
    Page("/sign-out/enterprise", "leave_provider", sign_in.leave_provider, PUBLIC, asks_partner=always),
    Page("/account", "account", account.show, SIGNED_IN),
    Page("/account/preferences", "change_preferences", account.change_preferences, SIGNED_IN, ("POST",)),
    Page("/account/password", "password", account.password, SIGNED_IN, ("GET", "POST")),
    Page("/account/sessions/{session_id:int}/end", "end_session", account.end_session, SIGNED_IN, ("POST",)),
    Page("/account/sessions/end-others", "end_other_sessions", account.end_other_sessions, SIGNED_IN, ("POST",)),
    Page("/account/absences", "absences", absences.show, STAFF, ("GET", "POST")),
    Page("/account/absences/{absence_id:int}/end", "end_absence", absences.end, STAFF, ("GET", "POST")),
    Page("/notices", "notices", notices.show, SIGNED_IN),
    Page("/notices/{notice_id:int}", "open_notice", notices.open_notice, SIGNED_IN, ("POST",)),
    Page("/notices/read", "read_notices", notices.read_all, SIGNED_IN, ("POST",)),
    Page("/gallery", "gallery", gallery.show_gallery, STAFF),
    Page("/healthz", "healthz", health.healthz, PUBLIC),
    Page("/metrics", "metrics", health.metrics, PUBLIC),
]
