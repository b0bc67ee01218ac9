CREATE TABLE rule_conflict (
    id INTEGER NOT NULL,
    name VARCHAR(240) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    file_digest VARCHAR(64) NOT NULL,
    file_text TEXT NOT NULL,
    edition_id INTEGER NOT NULL,
    found_at DATETIME NOT NULL,
    state VARCHAR(16) NOT NULL,
    decided_at DATETIME,
    decided_by INTEGER,
    decider_name VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_conflict_state ON rule_conflict (state, id)
--;
CREATE TABLE rule_draft (
    id INTEGER NOT NULL,
    kind VARCHAR(24) NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    open_key VARCHAR(100),
    base_id INTEGER,
    base_digest VARCHAR(64),
    rolls_back_to INTEGER,
    text TEXT NOT NULL,
    version INTEGER NOT NULL,
    state VARCHAR(16) NOT NULL,
    why VARCHAR NOT NULL,
    start_on DATE,
    opened_at DATETIME NOT NULL,
    author_id INTEGER NOT NULL,
    author_name VARCHAR NOT NULL,
    changed_at DATETIME NOT NULL,
    editor_id INTEGER NOT NULL,
    editor_name VARCHAR NOT NULL,
    editors JSON NOT NULL,
    lock_id INTEGER,
    lock_name VARCHAR NOT NULL,
    lock_since DATETIME,
    lock_until DATETIME,
    digest VARCHAR(64),
    examined_version INTEGER,
    examined_at DATETIME,
    findings JSON NOT NULL,
    golden JSON NOT NULL,
    submitted_at DATETIME,
    submitted_by INTEGER,
    reviewed_at DATETIME,
    reviewer_id INTEGER,
    reviewer_name VARCHAR NOT NULL,
    opinion VARCHAR NOT NULL,
    replay_id INTEGER,
    replay_digest VARCHAR(64),
    edition_id INTEGER,
    ended_at DATETIME,
    PRIMARY KEY (id),
    CONSTRAINT uq_rule_draft_open UNIQUE (open_key)
)
--;
CREATE INDEX ix_rule_draft_set ON rule_draft (kind, "key", id)
--;
CREATE INDEX ix_rule_draft_state ON rule_draft (state, id)
--;
CREATE TABLE rule_edition (
    id INTEGER NOT NULL,
    kind VARCHAR(24) NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    start DATE NOT NULL,
    until DATE,
    effective_at DATETIME NOT NULL,
    ended_at DATETIME,
    state VARCHAR(16) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL,
    source VARCHAR(16) NOT NULL,
    file VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    draft_id INTEGER,
    author_id INTEGER,
    author_name VARCHAR NOT NULL,
    reviewer_id INTEGER,
    reviewer_name VARCHAR NOT NULL,
    published_at DATETIME NOT NULL,
    published_by INTEGER,
    publisher_name VARCHAR NOT NULL,
    replaces VARCHAR(64),
    rolls_back_to INTEGER,
    written_at DATETIME,
    write_fault VARCHAR NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_edition_state ON rule_edition (state, effective_at)
--;
CREATE INDEX ix_rule_edition_digest ON rule_edition (digest)
--;
CREATE INDEX ix_rule_edition_track ON rule_edition (kind, "key", is_demo, effective_at, id)
--;
CREATE TABLE rule_file (
    id INTEGER NOT NULL,
    name VARCHAR(240) NOT NULL,
    text_digest VARCHAR(64) NOT NULL,
    rules_digest VARCHAR(64) NOT NULL,
    edition_id INTEGER,
    seen_at DATETIME NOT NULL,
    fault_digest VARCHAR(64) NOT NULL,
    faults JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
)
--;
CREATE TABLE rule_shelf (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
