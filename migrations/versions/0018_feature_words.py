"""What words are looked for in a feature, as one text beside its attributes, which are slow to search one by one."""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0018_feature_words"
down_revision = "0017_admitted_patches"
branch_labels = None
depends_on = None

_BATCH = 2_000
_DECIMAL = re.compile(r"-?\d+\.\d+")
"""Decimal fields are kept as text too; they are no words."""


def upgrade() -> None:
    op.add_column("feature", sa.Column("words", sa.Text(), nullable=False, server_default=""))
    connection, last = op.get_bind(), 0
    rows = sa.text("SELECT id, key, attributes FROM feature WHERE id > :last ORDER BY id LIMIT :most")
    keep = sa.text("UPDATE feature SET words = :words WHERE id = :id")
    while found := connection.execute(rows, {"last": last, "most": _BATCH}).all():
        connection.execute(keep, [{"id": number, "words": _words(key, attributes)} for number, key, attributes in found])
        last = found[-1][0]


def _words(key: str, attributes: object) -> str:
    """The key and every text of the attributes once, in lower case, a line each."""
    values = json.loads(attributes) if isinstance(attributes, str) else attributes
    texts = [each for each in values.values() if isinstance(each, str) and each and not _DECIMAL.fullmatch(each)]
    return "\n".join(dict.fromkeys([key, *texts])).lower()
