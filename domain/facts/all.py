"""Importing this module registers every fact provider."""
from domain.facts import applicant as applicant
from domain.facts import house_counts as house_counts
from domain.facts import ledger as ledger
from domain.facts import observations as observations
from domain.facts import original_case as original_case
from domain.facts import payments as payments
from domain.facts import plots as plots
from domain.facts import reminders as reminders
from domain.facts import space as space
from domain.facts import supervision_number as supervision_number
from domain.facts import survey_planning as survey_planning
