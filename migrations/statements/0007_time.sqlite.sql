CREATE TABLE rule_trouble (
    id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR(240) NOT NULL,
    open_key VARCHAR(260),
    reason VARCHAR NOT NULL,
    since DATETIME NOT NULL,
    last_at DATETIME NOT NULL,
    times INTEGER NOT NULL,
    ended_at DATETIME,
    PRIMARY KEY (id),
    UNIQUE (open_key)
)
--;
CREATE INDEX ix_rule_trouble_last_at ON rule_trouble (last_at)
--;
CREATE TABLE observation_series (
    id INTEGER NOT NULL,
    "key" VARCHAR(80) NOT NULL,
    subject VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    unit VARCHAR(24) NOT NULL,
    rule_set VARCHAR(64) NOT NULL,
    district_code VARCHAR(12),
    judge_from DATETIME,
    judge_through DATETIME,
    settle_from DATETIME,
    fault VARCHAR,
    created_at DATETIME NOT NULL,
    is_demo BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE ("key")
)
--;
CREATE INDEX ix_observation_series_judge_from ON observation_series (judge_from)
--;
CREATE INDEX ix_observation_series_district_code ON observation_series (district_code)
--;
CREATE TABLE escalation (
    id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    open_mark INTEGER,
    since DATETIME NOT NULL,
    ended_at DATETIME,
    roles VARCHAR(200) NOT NULL,
    told INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    decision_id INTEGER,
    end_decision_id INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT uq_escalation_open UNIQUE (case_id, open_mark),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_escalation_open ON escalation (open_mark, case_id)
--;
CREATE TABLE observation (
    id INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    business_key VARCHAR(80) NOT NULL,
    at DATETIME NOT NULL,
    value BIGINT NOT NULL,
    received_at DATETIME NOT NULL,
    outcome VARCHAR(16),
    PRIMARY KEY (id),
    CONSTRAINT uq_observation UNIQUE (series_id, business_key),
    FOREIGN KEY(series_id) REFERENCES observation_series (id)
)
--;
CREATE INDEX ix_observation_at ON observation (series_id, at, id)
--;
CREATE TABLE observation_alarm (
    id INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    from_at DATETIME NOT NULL,
    ended_at DATETIME,
    raised_at DATETIME NOT NULL,
    withdrawn_at DATETIME,
    message VARCHAR NOT NULL,
    roles VARCHAR(200) NOT NULL,
    told INTEGER NOT NULL,
    decision_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(series_id) REFERENCES observation_series (id)
)
--;
CREATE INDEX ix_observation_alarm_series ON observation_alarm (series_id, from_at)
