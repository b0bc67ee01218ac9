"""All tables of the portal: importing this module makes them known to the one metadata.

A test names every module of domain that holds a table and is missing here. A change of a table is a new numbered
file in migrations/versions.
"""

from sqlmodel import SQLModel

import domain.audit
import domain.calendar_table
import domain.case.search
import domain.case.tables
import domain.case_range
import domain.clock
import domain.dictionary
import domain.document.tables
import domain.escalation
import domain.exchange.tables
import domain.file_store
import domain.hold
import domain.inspection.task.tables
import domain.job
import domain.layer.tables
import domain.layer_share.tables
import domain.layer_update.tables
import domain.ledger.tables
import domain.map_favourite
import domain.map_view
import domain.notice
import domain.numbering
import domain.observation.tables
import domain.outflow
import domain.overlay_run.tables
import domain.parameter
import domain.patch_case.tables
import domain.payment
import domain.person
import domain.plot.tables
import domain.portal_clock
import domain.rule_edition.tables
import domain.rule_replay.tables
import domain.rule_trouble
import domain.rule_workbench.tally
import domain.session
import domain.sketch.tables
import domain.template_file
import domain.thematic_map.tables
import domain.usage_control  # noqa: F401

METADATA = SQLModel.metadata
