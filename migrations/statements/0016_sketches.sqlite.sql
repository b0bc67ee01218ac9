CREATE TABLE sketch (
    id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR(16) NOT NULL,
    geometry GEOMETRY NOT NULL,
    point_count INTEGER NOT NULL,
    length_m BIGINT NOT NULL,
    area_m2 BIGINT,
    source VARCHAR NOT NULL,
    created_at DATETIME NOT NULL,
    changed_at DATETIME NOT NULL,
    deleted_at DATETIME,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(owner_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_sketch_owner ON sketch (owner_id, deleted_at)
