CREATE TABLE shared_range (
    id INTEGER NOT NULL,
    digest VARCHAR(64) NOT NULL,
    owner_id INTEGER NOT NULL,
    sketch_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    geometry GEOMETRY NOT NULL,
    at DATETIME NOT NULL,
    ended_at DATETIME,
    PRIMARY KEY (id),
    UNIQUE (digest),
    FOREIGN KEY(owner_id) REFERENCES person (id),
    FOREIGN KEY(sketch_id) REFERENCES sketch (id)
)
