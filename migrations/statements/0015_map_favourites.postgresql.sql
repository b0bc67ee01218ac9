CREATE TABLE map_favourite (
    id BIGSERIAL NOT NULL,
    person_id BIGINT NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (person_id, layer_key),
    FOREIGN KEY(person_id) REFERENCES person (id)
)
