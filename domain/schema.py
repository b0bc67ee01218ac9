"""All tables of the portal: importing this module makes them known to the one metadata."""

from sqlmodel import SQLModel

import domain.audit
import domain.calendar_table
import domain.case.search
import domain.case.tables
import domain.clock
import domain.dictionary
import domain.document.tables
import domain.exchange.tables
import domain.file_store
import domain.job
import domain.layer.tables
import domain.notice
import domain.numbering
import domain.parameter
import domain.person
import domain.portal_clock
import domain.session
import domain.template_file  # noqa: F401

METADATA = SQLModel.metadata
