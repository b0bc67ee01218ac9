CREATE TABLE shared_range (
    id BIGSERIAL NOT NULL,
    digest VARCHAR(64) NOT NULL,
    owner_id BIGINT NOT NULL,
    sketch_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    geometry geometry(GEOMETRY,4490) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (digest),
    FOREIGN KEY(owner_id) REFERENCES person (id),
    FOREIGN KEY(sketch_id) REFERENCES sketch (id)
)
