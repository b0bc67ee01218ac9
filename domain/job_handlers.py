"""The modules that register job handlers; importing this one makes all of them known to the runner."""

import domain.audit_search
import domain.case.export
import domain.exchange.export
import domain.exchange.reconcile
import domain.inspection.task.admission
import domain.inspection.task.export
import domain.inspection.task.running
import domain.layer.export
import domain.layer_comparison
import domain.layer_share.service
import domain.layer_update.running
import domain.ledger.export
import domain.map_drawing
import domain.map_print
import domain.map_query.export
import domain.observation.export
import domain.overlay_run.export
import domain.overlay_run.request
import domain.report_building
import domain.report_list
import domain.report_outcome
import domain.rule_replay.export
import domain.rule_replay.request
import domain.sweep
import domain.thematic_map.export
