CREATE TABLE admitted_patch (
    id BIGSERIAL NOT NULL,
    run_id BIGINT NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    feature_key VARCHAR(64) NOT NULL,
    district_code VARCHAR(16) NOT NULL,
    area_m2 NUMERIC(20, 2) NOT NULL,
    number VARCHAR(64) NOT NULL,
    case_id BIGINT,
    is_repeated BOOLEAN NOT NULL,
    fault VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_admitted_patch UNIQUE (run_id, layer_key, feature_key),
    FOREIGN KEY(run_id) REFERENCES inspection_run (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_admitted_patch_case_id ON admitted_patch (case_id)
--;
CREATE INDEX ix_admitted_patch_key ON admitted_patch (layer_key, feature_key)
