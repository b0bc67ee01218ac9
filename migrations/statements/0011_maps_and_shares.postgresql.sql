CREATE TABLE thematic_map (
    id BIGSERIAL NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    spec JSONB NOT NULL,
    edition_number INTEGER NOT NULL,
    shared_with VARCHAR(16) NOT NULL,
    shared_code VARCHAR(20) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(owner_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_thematic_map_owner ON thematic_map (owner_id, deleted_at)
--;
CREATE INDEX ix_thematic_map_shared ON thematic_map (shared_with, shared_code)
--;
CREATE TABLE map_view (
    id BIGSERIAL NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(owner_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_map_view_owner ON map_view (owner_id, deleted_at)
--;
CREATE TABLE map_view_share (
    id BIGSERIAL NOT NULL,
    view_id BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    value VARCHAR(64) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (view_id, kind, value),
    FOREIGN KEY(view_id) REFERENCES map_view (id)
)
--;
CREATE INDEX ix_map_view_share_value ON map_view_share (kind, value)
--;
CREATE TABLE layer_share (
    id BIGSERIAL NOT NULL,
    applicant_id BIGINT NOT NULL,
    applicant_name VARCHAR NOT NULL,
    organisation_id BIGINT,
    layer_key VARCHAR(64) NOT NULL,
    districts JSONB NOT NULL,
    classes JSONB NOT NULL,
    fields JSONB NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    reason VARCHAR NOT NULL,
    format VARCHAR(16) NOT NULL,
    file_kind VARCHAR(8) NOT NULL,
    until_on DATE NOT NULL,
    status VARCHAR(16) NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by BIGINT,
    decided_by_name VARCHAR NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    opinion VARCHAR NOT NULL,
    token_digest VARCHAR(64),
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    withdrawn_by_name VARCHAR NOT NULL,
    withdrawn_why VARCHAR NOT NULL,
    job_id BIGINT,
    file_digest VARCHAR(64),
    file_name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(applicant_id) REFERENCES person (id),
    FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    UNIQUE (token_digest)
)
--;
CREATE INDEX ix_layer_share_applicant_id ON layer_share (applicant_id)
--;
CREATE INDEX ix_layer_share_status ON layer_share (status, id)
--;
CREATE TABLE layer_share_access (
    id BIGSERIAL NOT NULL,
    share_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    what VARCHAR(16) NOT NULL,
    feature_count INTEGER NOT NULL,
    person_id BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(share_id) REFERENCES layer_share (id)
)
--;
CREATE INDEX ix_layer_share_access_share ON layer_share_access (share_id, id)
