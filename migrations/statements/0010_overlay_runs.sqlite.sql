CREATE TABLE overlay_run (
    id INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    asked JSON NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    asked_by INTEGER,
    asked_by_name VARCHAR NOT NULL,
    asked_at DATETIME NOT NULL,
    job_id INTEGER,
    ended_at DATETIME,
    lineage JSON NOT NULL,
    summary JSON NOT NULL,
    range_count INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    total_m2 BIGINT NOT NULL,
    result_file VARCHAR(64),
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_overlay_run_asked_by ON overlay_run (asked_by)
--;
CREATE INDEX ix_overlay_run_list ON overlay_run (district_code, id)
--;
CREATE TABLE overlay_run_row (
    id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    range_key VARCHAR(120) NOT NULL,
    district_code VARCHAR(12) NOT NULL,
    group_values JSON NOT NULL,
    classes JSON NOT NULL,
    area_m2 BIGINT NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_overlay_run_row_list ON overlay_run_row (run_id, place)
