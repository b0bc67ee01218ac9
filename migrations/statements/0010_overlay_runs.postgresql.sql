CREATE TABLE overlay_run (
    id BIGSERIAL NOT NULL,
    title VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    asked JSONB NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    asked_by BIGINT,
    asked_by_name VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    job_id BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    lineage JSONB NOT NULL,
    summary JSONB NOT NULL,
    range_count INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    total_m2 NUMERIC(20, 2) NOT NULL,
    result_file VARCHAR(64),
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_overlay_run_asked_by ON overlay_run (asked_by)
--;
CREATE INDEX ix_overlay_run_list ON overlay_run (district_code, id)
--;
CREATE TABLE overlay_run_row (
    id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    place INTEGER NOT NULL,
    range_key VARCHAR(120) NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    group_values JSONB NOT NULL,
    classes JSONB NOT NULL,
    area_m2 NUMERIC(20, 2) NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_overlay_run_row_list ON overlay_run_row (run_id, place)
