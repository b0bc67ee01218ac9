CREATE TABLE sketch (
    id BIGSERIAL NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR(16) NOT NULL,
    geometry geometry(GEOMETRY,4490) NOT NULL,
    point_count INTEGER NOT NULL,
    length_m NUMERIC(20, 3) NOT NULL,
    area_m2 NUMERIC(20, 2),
    source VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(owner_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_sketch_owner ON sketch (owner_id, deleted_at)
