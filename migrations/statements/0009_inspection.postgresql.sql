CREATE TABLE inspection_task (
    id BIGSERIAL NOT NULL,
    number VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    variant_id BIGINT,
    district_code VARCHAR(16) NOT NULL,
    is_batch BOOLEAN NOT NULL,
    state VARCHAR(12) NOT NULL,
    package_count INTEGER NOT NULL,
    passed_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    created_by BIGINT NOT NULL,
    created_by_name VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_by_name VARCHAR NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
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
    id BIGSERIAL NOT NULL,
    task_id BIGINT NOT NULL,
    package_no INTEGER NOT NULL,
    run_no INTEGER NOT NULL,
    package_version INTEGER NOT NULL,
    is_latest BOOLEAN NOT NULL,
    state VARCHAR(12) NOT NULL,
    job_id BIGINT,
    file_name VARCHAR NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size_bytes BIGINT NOT NULL,
    declared_crs VARCHAR(32) NOT NULL,
    encoding VARCHAR(16) NOT NULL,
    understood JSONB NOT NULL,
    uploaded_by_name VARCHAR NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_by_name VARCHAR NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    inspected_on DATE,
    fault VARCHAR NOT NULL,
    edition VARCHAR NOT NULL,
    variant JSONB NOT NULL,
    score NUMERIC(20, 2),
    is_passed BOOLEAN NOT NULL,
    counts JSONB NOT NULL,
    checked JSONB NOT NULL,
    finding_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    excepted_count INTEGER NOT NULL,
    parameters JSONB NOT NULL,
    engines JSONB NOT NULL,
    certificate JSONB NOT NULL,
    picture VARCHAR(64),
    bounds JSONB NOT NULL,
    admitted_at TIMESTAMP WITH TIME ZONE,
    admitted_by_name VARCHAR NOT NULL,
    admission_job_id BIGINT,
    admission JSONB NOT NULL,
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
    id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    code VARCHAR(64) NOT NULL,
    "check" VARCHAR NOT NULL,
    layer VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    key VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    severity VARCHAR(12) NOT NULL,
    fix VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    x FLOAT,
    y FLOAT,
    geometry geometry(GEOMETRY,4490),
    west FLOAT,
    south FLOAT,
    east FLOAT,
    north FLOAT,
    mark VARCHAR(32) NOT NULL,
    state VARCHAR(12) NOT NULL,
    exception_id BIGINT,
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
    id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    finding_count INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    state VARCHAR(12) NOT NULL,
    asked_by BIGINT NOT NULL,
    asked_by_name VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by_name VARCHAR NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    opinion VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES inspection_run (id)
)
--;
CREATE INDEX ix_inspection_exception_run_id ON inspection_exception (run_id)
--;
CREATE TABLE inspection_variant (
    id BIGSERIAL NOT NULL,
    scheme VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    "off" JSONB NOT NULL,
    parameters JSONB NOT NULL,
    note VARCHAR NOT NULL,
    created_by BIGINT NOT NULL,
    created_by_name VARCHAR NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_inspection_variant_scheme ON inspection_variant (scheme)
