CREATE TABLE rule_trouble (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR(240) NOT NULL,
    open_key VARCHAR(260),
    reason VARCHAR NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    times INTEGER NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (open_key)
)
--;
CREATE INDEX ix_rule_trouble_last_at ON rule_trouble (last_at)
--;
CREATE TABLE observation_series (
    id BIGSERIAL NOT NULL,
    key VARCHAR(80) NOT NULL,
    subject VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    unit VARCHAR(24) NOT NULL,
    rule_set VARCHAR(64) NOT NULL,
    district_code VARCHAR(12),
    judge_from TIMESTAMP WITH TIME ZONE,
    judge_through TIMESTAMP WITH TIME ZONE,
    settle_from TIMESTAMP WITH TIME ZONE,
    fault VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    is_demo BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key)
)
--;
CREATE INDEX ix_observation_series_judge_from ON observation_series (judge_from)
--;
CREATE INDEX ix_observation_series_district_code ON observation_series (district_code)
--;
CREATE TABLE escalation (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    open_mark INTEGER,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    roles VARCHAR(200) NOT NULL,
    told INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    decision_id BIGINT,
    end_decision_id BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT uq_escalation_open UNIQUE (case_id, open_mark),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_escalation_open ON escalation (open_mark, case_id)
--;
CREATE TABLE observation (
    id BIGSERIAL NOT NULL,
    series_id BIGINT NOT NULL,
    business_key VARCHAR(80) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    value NUMERIC(20, 6) NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome VARCHAR(16),
    PRIMARY KEY (id),
    CONSTRAINT uq_observation UNIQUE (series_id, business_key),
    FOREIGN KEY(series_id) REFERENCES observation_series (id)
)
--;
CREATE INDEX ix_observation_at ON observation (series_id, at, id)
--;
CREATE TABLE observation_alarm (
    id BIGSERIAL NOT NULL,
    series_id BIGINT NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    message VARCHAR NOT NULL,
    roles VARCHAR(200) NOT NULL,
    told INTEGER NOT NULL,
    decision_id BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(series_id) REFERENCES observation_series (id)
)
--;
CREATE INDEX ix_observation_alarm_series ON observation_alarm (series_id, from_at)
