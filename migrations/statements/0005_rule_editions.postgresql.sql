CREATE TABLE rule_conflict (
    id BIGSERIAL NOT NULL,
    name VARCHAR(240) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    key VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    file_digest VARCHAR(64) NOT NULL,
    file_text TEXT NOT NULL,
    edition_id BIGINT NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(16) NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by BIGINT,
    decider_name VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_conflict_state ON rule_conflict (state, id)
--;
CREATE TABLE rule_draft (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(24) NOT NULL,
    key VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    open_key VARCHAR(100),
    base_id BIGINT,
    base_digest VARCHAR(64),
    rolls_back_to BIGINT,
    text TEXT NOT NULL,
    version INTEGER NOT NULL,
    state VARCHAR(16) NOT NULL,
    why VARCHAR NOT NULL,
    start_on DATE,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    author_id BIGINT NOT NULL,
    author_name VARCHAR NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    editor_id BIGINT NOT NULL,
    editor_name VARCHAR NOT NULL,
    editors JSONB NOT NULL,
    lock_id BIGINT,
    lock_name VARCHAR NOT NULL,
    lock_since TIMESTAMP WITH TIME ZONE,
    lock_until TIMESTAMP WITH TIME ZONE,
    digest VARCHAR(64),
    examined_version INTEGER,
    examined_at TIMESTAMP WITH TIME ZONE,
    findings JSONB NOT NULL,
    golden JSONB NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    submitted_by BIGINT,
    reviewed_at TIMESTAMP WITH TIME ZONE,
    reviewer_id BIGINT,
    reviewer_name VARCHAR NOT NULL,
    opinion VARCHAR NOT NULL,
    replay_id BIGINT,
    replay_digest VARCHAR(64),
    edition_id BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT uq_rule_draft_open UNIQUE (open_key)
)
--;
CREATE INDEX ix_rule_draft_set ON rule_draft (kind, key, id)
--;
CREATE INDEX ix_rule_draft_state ON rule_draft (state, id)
--;
CREATE TABLE rule_edition (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(24) NOT NULL,
    key VARCHAR(64) NOT NULL,
    is_demo BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    start DATE NOT NULL,
    until DATE,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    state VARCHAR(16) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL,
    source VARCHAR(16) NOT NULL,
    file VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    draft_id BIGINT,
    author_id BIGINT,
    author_name VARCHAR NOT NULL,
    reviewer_id BIGINT,
    reviewer_name VARCHAR NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_by BIGINT,
    publisher_name VARCHAR NOT NULL,
    replaces VARCHAR(64),
    rolls_back_to BIGINT,
    written_at TIMESTAMP WITH TIME ZONE,
    write_fault VARCHAR NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_edition_state ON rule_edition (state, effective_at)
--;
CREATE INDEX ix_rule_edition_digest ON rule_edition (digest)
--;
CREATE INDEX ix_rule_edition_track ON rule_edition (kind, key, is_demo, effective_at, id)
--;
CREATE TABLE rule_file (
    id BIGSERIAL NOT NULL,
    name VARCHAR(240) NOT NULL,
    text_digest VARCHAR(64) NOT NULL,
    rules_digest VARCHAR(64) NOT NULL,
    edition_id BIGINT,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    fault_digest VARCHAR(64) NOT NULL,
    faults JSONB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
)
--;
CREATE TABLE rule_shelf (
    id BIGSERIAL NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
