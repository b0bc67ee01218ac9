ALTER TABLE layer_edition RENAME TO layer_edition_before
--;
CREATE TABLE layer_edition (
    id INTEGER NOT NULL,
    layer_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    token VARCHAR(64) NOT NULL,
    effective_on DATE NOT NULL,
    recorded_at DATETIME NOT NULL,
    extent VARCHAR(16) NOT NULL,
    change VARCHAR(16) NOT NULL,
    region_code VARCHAR(16),
    case_id INTEGER,
    note VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    person_id INTEGER,
    person_name VARCHAR NOT NULL,
    data_year INTEGER,
    is_generated BOOLEAN NOT NULL,
    restored_number INTEGER,
    added_count INTEGER NOT NULL,
    ended_count INTEGER NOT NULL,
    feature_count INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (layer_id, number),
    FOREIGN KEY(layer_id) REFERENCES layer (id),
    UNIQUE (token)
)
--;
INSERT INTO layer_edition (id, layer_id, number, token, effective_on, recorded_at, extent, region_code, case_id, note, added_count, ended_count, feature_count, change, reason, person_name, is_generated)
SELECT b.id, b.layer_id, b.number, b.token, b.effective_on, b.recorded_at, b.extent, b.region_code, b.case_id, b.note, b.added_count, b.ended_count, b.feature_count, b.extent, '', '', layer.is_generated
FROM layer_edition_before AS b JOIN layer ON layer.id = b.layer_id
--;
DROP TABLE layer_edition_before
--;
CREATE INDEX ix_layer_edition_case_id ON layer_edition (case_id)
--;
CREATE INDEX ix_layer_edition_layer_id ON layer_edition (layer_id)
--;
CREATE TABLE layer_update (
    id INTEGER NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    way VARCHAR(16) NOT NULL,
    state VARCHAR(12) NOT NULL,
    district_code VARCHAR(16) NOT NULL,
    asked JSON NOT NULL,
    reason VARCHAR NOT NULL,
    case_id INTEGER,
    effective_on DATE NOT NULL,
    data_year INTEGER,
    expected INTEGER NOT NULL,
    understood JSON NOT NULL,
    found JSON NOT NULL,
    decisions JSON NOT NULL,
    job_id INTEGER,
    asked_by INTEGER,
    asked_by_name VARCHAR NOT NULL,
    asked_at DATETIME NOT NULL,
    applied_by_name VARCHAR NOT NULL,
    applied_at DATETIME,
    edition_number INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_layer_update_asked_by ON layer_update (asked_by)
--;
CREATE INDEX ix_layer_update_list ON layer_update (layer_key, id)
