CREATE TABLE map_favourite (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    at DATETIME NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (person_id, layer_key),
    FOREIGN KEY(person_id) REFERENCES person (id)
)
