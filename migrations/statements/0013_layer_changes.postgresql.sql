ALTER TABLE layer_edition ADD COLUMN change VARCHAR(16) DEFAULT '' NOT NULL
--;
ALTER TABLE layer_edition ADD COLUMN reason VARCHAR DEFAULT '' NOT NULL
--;
ALTER TABLE layer_edition ADD COLUMN person_id BIGINT
--;
ALTER TABLE layer_edition ADD COLUMN person_name VARCHAR DEFAULT '' NOT NULL
--;
ALTER TABLE layer_edition ADD COLUMN data_year INTEGER
--;
ALTER TABLE layer_edition ADD COLUMN is_generated BOOLEAN DEFAULT FALSE NOT NULL
--;
ALTER TABLE layer_edition ADD COLUMN restored_number INTEGER
--;
UPDATE layer_edition SET change = extent, is_generated = (SELECT layer.is_generated FROM layer WHERE layer.id = layer_edition.layer_id)
--;
ALTER TABLE layer_edition ALTER COLUMN change DROP DEFAULT
--;
ALTER TABLE layer_edition ALTER COLUMN reason DROP DEFAULT
--;
ALTER TABLE layer_edition ALTER COLUMN person_name DROP DEFAULT
--;
ALTER TABLE layer_edition ALTER COLUMN is_generated DROP DEFAULT
--;
CREATE TABLE layer_update (
    id BIGSERIAL NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    way VARCHAR(16) NOT NULL,
    state VARCHAR(12) NOT NULL,
    district_code VARCHAR(16) NOT NULL,
    asked JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    case_id BIGINT,
    effective_on DATE NOT NULL,
    data_year INTEGER,
    expected INTEGER NOT NULL,
    understood JSONB NOT NULL,
    found JSONB NOT NULL,
    decisions JSONB NOT NULL,
    job_id BIGINT,
    asked_by BIGINT,
    asked_by_name VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    applied_by_name VARCHAR NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    edition_number INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_layer_update_asked_by ON layer_update (asked_by)
--;
CREATE INDEX ix_layer_update_list ON layer_update (layer_key, id)
