CREATE TABLE inspection_task (
    id INTEGER NOT NULL,
    number VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    variant_id INTEGER,
    district_code VARCHAR(16) NOT NULL,
    is_batch BOOLEAN NOT NULL,
    state VARCHAR(12) NOT NULL,
    package_count INTEGER NOT NULL,
    passed_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    created_by_name VARCHAR NOT NULL,
    created_at DATETIME NOT NULL,
    changed_at DATETIME NOT NULL,
    changed_by_name VARCHAR NOT NULL,
    deleted_at DATETIME,
    deleted_by_name VARCHAR NOT NULL,
    is_generated BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
)
--;
CREATE INDEX ix_inspection_task_district ON inspection_task (district_code, id)
--;
CREATE INDEX ix_inspection_task_list ON inspection_task (deleted_at, id)
--;
CREATE TABLE inspection_run (
    id INTEGER NOT NULL,
    task_id INTEGER NOT NULL,
    package_no INTEGER NOT NULL,
    run_no INTEGER NOT NULL,
    package_version INTEGER NOT NULL,
    is_latest BOOLEAN NOT NULL,
    state VARCHAR(12) NOT NULL,
    job_id INTEGER,
    file_name VARCHAR NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size_bytes INTEGER NOT NULL,
    declared_crs VARCHAR(32) NOT NULL,
    encoding VARCHAR(16) NOT NULL,
    understood JSON NOT NULL,
    uploaded_by_name VARCHAR NOT NULL,
    uploaded_at DATETIME NOT NULL,
    confirmed_by_name VARCHAR NOT NULL,
    started_at DATETIME,
    ended_at DATETIME,
    inspected_on DATE,
    fault VARCHAR NOT NULL,
    edition VARCHAR NOT NULL,
    variant JSON NOT NULL,
    score BIGINT,
    is_passed BOOLEAN NOT NULL,
    counts JSON NOT NULL,
    checked JSON NOT NULL,
    finding_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    excepted_count INTEGER NOT NULL,
    parameters JSON NOT NULL,
    engines JSON NOT NULL,
    certificate JSON NOT NULL,
    picture VARCHAR(64),
    bounds JSON NOT NULL,
    admitted_at DATETIME,
    admitted_by_name VARCHAR NOT NULL,
    admission_job_id INTEGER,
    admission JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (task_id, package_no, run_no),
    FOREIGN KEY(task_id) REFERENCES inspection_task (id)
)
--;
CREATE INDEX ix_inspection_run_digest ON inspection_run (digest)
--;
CREATE INDEX ix_inspection_run_task_id ON inspection_run (task_id)
--;
CREATE TABLE inspection_finding (
    id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    code VARCHAR(64) NOT NULL,
    "check" VARCHAR NOT NULL,
    layer VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    "key" VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    severity VARCHAR(12) NOT NULL,
    fix VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    x FLOAT,
    y FLOAT,
    geometry GEOMETRY,
    west FLOAT,
    south FLOAT,
    east FLOAT,
    north FLOAT,
    mark VARCHAR(32) NOT NULL,
    state VARCHAR(12) NOT NULL,
    exception_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES inspection_run (id)
)
--;
CREATE INDEX ix_inspection_finding_class ON inspection_finding (run_id, code, number)
--;
CREATE INDEX ix_inspection_finding_exception_id ON inspection_finding (exception_id)
--;
CREATE INDEX ix_inspection_finding_mark ON inspection_finding (run_id, mark)
--;
CREATE UNIQUE INDEX ix_inspection_finding_order ON inspection_finding (run_id, number)
--;
CREATE INDEX ix_inspection_finding_place ON inspection_finding (run_id, west)
--;
CREATE TABLE inspection_exception (
    id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    finding_count INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    state VARCHAR(12) NOT NULL,
    asked_by INTEGER NOT NULL,
    asked_by_name VARCHAR NOT NULL,
    asked_at DATETIME NOT NULL,
    decided_by_name VARCHAR NOT NULL,
    decided_at DATETIME,
    opinion VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES inspection_run (id)
)
--;
CREATE INDEX ix_inspection_exception_run_id ON inspection_exception (run_id)
--;
CREATE TABLE inspection_variant (
    id INTEGER NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    off JSON NOT NULL,
    parameters JSON NOT NULL,
    note VARCHAR NOT NULL,
    created_by INTEGER NOT NULL,
    created_by_name VARCHAR NOT NULL,
    changed_at DATETIME NOT NULL,
    deleted_at DATETIME,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_inspection_variant_scheme ON inspection_variant (scheme)
