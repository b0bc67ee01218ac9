CREATE TABLE rule_replay (
    id BIGSERIAL NOT NULL,
    draft_id BIGINT NOT NULL,
    kind VARCHAR(24) NOT NULL,
    key VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    digest VARCHAR(64) NOT NULL,
    content TEXT NOT NULL,
    base_digest VARCHAR(64),
    job_id BIGINT NOT NULL,
    asked_by BIGINT,
    asked_by_name VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    until_id BIGINT NOT NULL,
    at_id BIGINT NOT NULL,
    total INTEGER NOT NULL,
    compared INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    outcome_changed INTEGER NOT NULL,
    rule_changed INTEGER NOT NULL,
    reworded INTEGER NOT NULL,
    unable INTEGER NOT NULL,
    stricter INTEGER NOT NULL,
    looser INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_replay_draft ON rule_replay (draft_id, id)
--;
CREATE TABLE rule_replay_change (
    id BIGSERIAL NOT NULL,
    replay_id BIGINT NOT NULL,
    decision_id BIGINT NOT NULL,
    case_id BIGINT,
    subject VARCHAR(80) NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    officer_id BIGINT,
    officer_name VARCHAR NOT NULL,
    month VARCHAR(7) NOT NULL,
    decided_on DATE NOT NULL,
    sort VARCHAR(8) NOT NULL,
    before_outcome VARCHAR(40) NOT NULL,
    before_rule VARCHAR(64),
    before_message VARCHAR NOT NULL,
    base_outcome VARCHAR(40),
    after_outcome VARCHAR(40),
    after_rule VARCHAR(64),
    after_message VARCHAR NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_rule_replay_change_list ON rule_replay_change (replay_id, sort, id)
--;
CREATE INDEX ix_rule_replay_change_month ON rule_replay_change (replay_id, month, id)
--;
CREATE INDEX ix_rule_replay_change_district ON rule_replay_change (replay_id, district_code, id)
--;
CREATE INDEX ix_rule_replay_change_officer ON rule_replay_change (replay_id, officer_id, id)
--;
CREATE TABLE rule_replay_group (
    id BIGSERIAL NOT NULL,
    replay_id BIGINT NOT NULL,
    grouping VARCHAR(8) NOT NULL,
    value VARCHAR(40) NOT NULL,
    label VARCHAR NOT NULL,
    compared INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unable INTEGER NOT NULL,
    stricter INTEGER NOT NULL,
    looser INTEGER NOT NULL,
    transitions JSONB NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_rule_replay_group UNIQUE (replay_id, grouping, value)
)
--;
CREATE TABLE rule_tally (
    id BIGSERIAL NOT NULL,
    rule_set VARCHAR(64) NOT NULL,
    month VARCHAR(7) NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    outcome VARCHAR(40) NOT NULL,
    reason VARCHAR(240) NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE UNIQUE INDEX uq_rule_tally ON rule_tally (rule_set, month, district_code, digest, outcome, reason)
--;
CREATE TABLE rule_tally_mark (
    id BIGSERIAL NOT NULL,
    last_id BIGINT NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_decision_digest ON decision (digest, case_id, id)
--;
CREATE INDEX ix_decision_replay ON decision (rule_set, id)
