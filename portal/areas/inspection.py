"""Pages of quality inspection: tasks, findings, exceptions, exports, admission, schemes laid out, certificates."""

from domain.inspection.task import access
from portal.access import PUBLIC, Page, roles
from views.inspections import acts, certificate, listing, patches, places, task, variants

GET_POST, POST = ("GET", "POST"), ("POST",)
SEE, INSPECT = roles(*access.roles_with(access.SEE)), roles(*access.roles_with(access.INSPECT))
EXCEPT, ADMIT = roles(*access.roles_with(access.EXCEPT)), roles(*access.roles_with(access.ADMIT))
LAY_OUT = roles(*access.roles_with(access.LAY_OUT))
TASK, RUN = "/inspections/{task_id:int}", "/inspections/runs/{run_id:int}"
PACKAGE, EXCEPTION, VARIANT = TASK + "/packages/{package_no:int}", "/inspections/exceptions/{exception_id:int}", "/inspections/variants/{variant_id:int}"

PAGES: list[Page] = [
    Page("/inspections", "inspections", listing.show, SEE),
    Page("/inspections/new", "new_inspection", listing.new, INSPECT, GET_POST, largest_mb=listing.LARGEST_MB),
    Page("/inspections/variants", "inspection_variants", variants.show_all, SEE),
    Page("/inspections/variants/new", "new_inspection_variant", variants.new, LAY_OUT, GET_POST),
    Page(VARIANT, "inspection_variant", variants.edit, LAY_OUT, GET_POST),
    Page(VARIANT + "/delete", "delete_inspection_variant", variants.delete, LAY_OUT, POST),
    Page(TASK, "inspection", task.show, SEE),
    Page(TASK + "/confirm", "confirm_inspection", acts.confirm, INSPECT, POST),
    Page(TASK + "/reread", "reread_inspection", acts.reread, INSPECT, POST),
    Page(TASK + "/rerun", "rerun_inspection", acts.rerun, INSPECT, POST),
    Page(TASK + "/cancel", "cancel_inspection", acts.cancel, INSPECT, POST),
    Page(TASK + "/rename", "rename_inspection", acts.rename, INSPECT, POST),
    Page(TASK + "/delete", "delete_inspection", acts.delete, INSPECT, POST),
    Page(TASK + "/restore", "restore_inspection", acts.restore, INSPECT, POST),
    Page(TASK + "/copy", "copy_inspection", acts.copy, INSPECT, POST),
    Page(TASK + "/exceptions", "ask_inspection_exception", acts.ask_exception, INSPECT, POST),
    Page(PACKAGE + "/resubmit", "resubmit_inspection", acts.resubmit, INSPECT, POST, largest_mb=listing.LARGEST_MB),
    Page(PACKAGE + "/admit", "admit_inspection", acts.admit, ADMIT, POST),
    Page(RUN + "/findings", "inspection_findings", places.found, SEE),
    Page(RUN + "/features", "inspection_features", places.around, SEE),
    Page(RUN + "/changes", "inspection_changes", acts.changes, SEE),
    Page(RUN + "/export", "export_inspection", acts.export_result, SEE, POST),
    Page(RUN + "/pack", "pack_inspection", acts.pack, SEE, POST),
    Page(RUN + "/package", "inspection_package", acts.package_file, SEE),
    Page(RUN + "/certificate", "inspection_certificate", certificate.download, SEE),
    Page(RUN + "/rules", "inspection_rules", certificate.rules, SEE),
    Page(RUN + "/patches", "inspection_patches", patches.show, SEE),
    Page(RUN + "/patches/resume", "resume_patches", patches.resume, ADMIT, POST),
    Page(RUN + "/patches/export", "export_patches", patches.export_list, SEE, POST),
    Page(EXCEPTION + "/decide", "decide_inspection_exception", acts.decide_exception, EXCEPT, POST),
    Page(EXCEPTION + "/withdraw", "withdraw_inspection_exception", acts.withdraw_exception, INSPECT, POST),
    Page("/inspections/verify", "verify_inspection", certificate.verify, PUBLIC, GET_POST, largest_mb=certificate.LARGEST_MB),
]
