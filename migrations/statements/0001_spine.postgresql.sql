CREATE TABLE audit_entry (
    id BIGSERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id INTEGER,
    person_name VARCHAR NOT NULL,
    on_behalf_of INTEGER,
    command VARCHAR(64) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    detail JSONB NOT NULL,
    previous VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_audit_entry_person_id ON audit_entry (person_id)
--;
CREATE INDEX ix_audit_entry_at ON audit_entry (at)
--;
CREATE INDEX ix_audit_entry_command ON audit_entry (command)
--;
CREATE INDEX ix_audit_entry_subject ON audit_entry (subject)
--;
CREATE TABLE demo_clock (
    id BIGSERIAL NOT NULL,
    offset_s INTEGER NOT NULL,
    moved_to DATE NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    moved_by BIGINT,
    PRIMARY KEY (id)
)
--;
CREATE TABLE stored_file (
    digest VARCHAR(64) NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type VARCHAR(120) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (digest)
)
--;
CREATE INDEX ix_stored_file_created_at ON stored_file (created_at)
--;
CREATE TABLE sign_in_attempt (
    id BIGSERIAL NOT NULL,
    login_digest VARCHAR(64) NOT NULL,
    address_digest VARCHAR(64) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_sign_in_attempt_login_digest ON sign_in_attempt (login_digest)
--;
CREATE INDEX ix_sign_in_attempt_at ON sign_in_attempt (at)
--;
CREATE INDEX ix_sign_in_attempt_address_digest ON sign_in_attempt (address_digest)
--;
CREATE TABLE organisation (
    id BIGSERIAL NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR(24) NOT NULL,
    credit_code VARCHAR(18),
    district_code VARCHAR(12),
    town_code VARCHAR(12),
    parent_id BIGINT,
    is_active BOOLEAN NOT NULL,
    detail JSONB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (credit_code),
    FOREIGN KEY(parent_id) REFERENCES organisation (id)
)
--;
CREATE INDEX ix_organisation_district_code ON organisation (district_code)
--;
CREATE TABLE job (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    arguments JSONB NOT NULL,
    status VARCHAR(16) NOT NULL,
    owner_id BIGINT,
    case_id BIGINT,
    done_units INTEGER NOT NULL,
    total_units INTEGER,
    doing VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    heartbeat_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER NOT NULL,
    result JSONB,
    result_file VARCHAR(64),
    result_name VARCHAR,
    fault VARCHAR,
    is_cancel_asked BOOLEAN NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_job_owner_id ON job (owner_id)
--;
CREATE INDEX ix_job_kind ON job (kind)
--;
CREATE INDEX ix_job_case_id ON job (case_id)
--;
CREATE INDEX ix_job_queue ON job (status, due_at)
--;
CREATE TABLE calendar_year (
    year INTEGER NOT NULL,
    is_official BOOLEAN NOT NULL,
    document JSONB,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_by BIGINT,
    PRIMARY KEY (year)
)
--;
CREATE TABLE calendar_day (
    day DATE NOT NULL,
    name VARCHAR NOT NULL,
    is_working BOOLEAN NOT NULL,
    reason VARCHAR NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_by BIGINT,
    PRIMARY KEY (day)
)
--;
CREATE TABLE calendar_revision (
    id BIGSERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    person_name VARCHAR NOT NULL,
    change JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    version VARCHAR(16) NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE TABLE case_file (
    id BIGSERIAL NOT NULL,
    number VARCHAR(80),
    draft_number VARCHAR(40) NOT NULL,
    case_type VARCHAR(64) NOT NULL,
    edition VARCHAR(10) NOT NULL,
    title VARCHAR NOT NULL,
    status VARCHAR(16) NOT NULL,
    outcome VARCHAR(24),
    district_code VARCHAR(12),
    town_code VARCHAR(12),
    organisation_id BIGINT,
    applicant_id BIGINT,
    created_by BIGINT,
    values JSONB NOT NULL,
    prefilled JSONB NOT NULL,
    steps VARCHAR NOT NULL,
    due_on DATE,
    light VARCHAR(8) NOT NULL,
    light_words VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    is_demo BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number),
    UNIQUE (draft_number)
)
--;
CREATE INDEX ix_case_due_on ON case_file (due_on, id)
--;
CREATE INDEX ix_case_town ON case_file (town_code, status, id)
--;
CREATE INDEX ix_case_creator ON case_file (created_by, id)
--;
CREATE INDEX ix_case_district ON case_file (district_code, status, id)
--;
CREATE INDEX ix_case_submitted ON case_file (submitted_at, id)
--;
CREATE INDEX ix_case_applicant ON case_file (applicant_id, id)
--;
CREATE INDEX ix_case_light ON case_file (light, district_code, id)
--;
CREATE INDEX ix_case_type_status ON case_file (case_type, status, id)
--;
CREATE INDEX ix_case_changed ON case_file (changed_at, id)
--;
CREATE INDEX ix_case_closed ON case_file (closed_at, id)
--;
CREATE INDEX ix_case_title ON case_file (title, id)
--;
CREATE INDEX ix_case_file_organisation_id ON case_file (organisation_id)
--;
CREATE INDEX ix_case_due ON case_file (status, due_on, id)
--;
CREATE TABLE case_search (case_id bigint PRIMARY KEY, words tsvector NOT NULL)
--;
CREATE INDEX ix_case_search_words ON case_search USING gin (words)
--;
CREATE TABLE decision (
    id BIGSERIAL NOT NULL,
    case_id BIGINT,
    task_id BIGINT,
    subject VARCHAR(80) NOT NULL,
    moment VARCHAR(24) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    rule_set VARCHAR(64) NOT NULL,
    edition VARCHAR(24) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    outcome VARCHAR(40) NOT NULL,
    message VARCHAR NOT NULL,
    decided_on DATE NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    document JSONB NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_decision_set ON decision (rule_set, decided_on)
--;
CREATE INDEX ix_decision_case ON decision (case_id, id)
--;
CREATE TABLE dictionary_entry (
    id BIGSERIAL NOT NULL,
    dictionary VARCHAR(64) NOT NULL,
    value VARCHAR(40) NOT NULL,
    label VARCHAR NOT NULL,
    hint VARCHAR NOT NULL,
    order_no INTEGER NOT NULL,
    retired_on DATE,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_dictionary_entry UNIQUE (dictionary, value)
)
--;
CREATE INDEX ix_dictionary_entry_dictionary ON dictionary_entry (dictionary)
--;
CREATE TABLE outbox_message (
    id BIGSERIAL NOT NULL,
    partner VARCHAR(64) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    business_key VARCHAR(120) NOT NULL,
    case_id BIGINT,
    payload JSONB NOT NULL,
    file_digest VARCHAR(64),
    status VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_failed_at TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    answer JSONB,
    fault VARCHAR,
    result_status VARCHAR(16) NOT NULL,
    result JSONB,
    result_at TIMESTAMP WITH TIME ZONE,
    result_due_at TIMESTAMP WITH TIME ZONE,
    asked_count INTEGER NOT NULL,
    reply_light VARCHAR(8) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_outbox_business_key UNIQUE (partner, kind, business_key)
)
--;
CREATE INDEX ix_outbox_due ON outbox_message (partner, status, due_at)
--;
CREATE INDEX ix_outbox_message_case_id ON outbox_message (case_id)
--;
CREATE INDEX ix_outbox_result ON outbox_message (result_status, result_due_at)
--;
CREATE TABLE inbox_message (
    id BIGSERIAL NOT NULL,
    partner VARCHAR(64) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    business_key VARCHAR(120) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    case_id BIGINT,
    outbox_id BIGINT,
    payload JSONB NOT NULL,
    source VARCHAR(8) NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_count INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    fault VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT uq_inbox_message UNIQUE (partner, business_key, digest)
)
--;
CREATE INDEX ix_inbox_message_business_key ON inbox_message (business_key)
--;
CREATE INDEX ix_inbox_message_case_id ON inbox_message (case_id)
--;
CREATE INDEX ix_inbox_message_outbox_id ON inbox_message (outbox_id)
--;
CREATE TABLE partner_line (
    partner VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    down_since TIMESTAMP WITH TIME ZONE,
    paused_until TIMESTAMP WITH TIME ZONE,
    fault VARCHAR,
    last_success_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (partner)
)
--;
CREATE TABLE layer (
    id BIGSERIAL NOT NULL,
    key VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    is_generated BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key)
)
--;
CREATE TABLE ledger_account (
    id BIGSERIAL NOT NULL,
    pool VARCHAR(16) NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    year INTEGER NOT NULL,
    measure VARCHAR(16) NOT NULL,
    is_floored BOOLEAN NOT NULL,
    balance NUMERIC(20, 4) NOT NULL,
    frozen NUMERIC(20, 4) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_ledger_account UNIQUE (pool, area_code, year, measure),
    CONSTRAINT ck_ledger_account_frozen CHECK (frozen >= 0),
    CONSTRAINT ck_ledger_account_floor CHECK (NOT is_floored OR balance >= frozen)
)
--;
CREATE INDEX ix_ledger_account_area ON ledger_account (year, area_code)
--;
CREATE TABLE ledger_year (
    id BIGSERIAL NOT NULL,
    year INTEGER NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    layer_edition INTEGER NOT NULL,
    recounted_at TIMESTAMP WITH TIME ZONE,
    recounted_by BIGINT,
    PRIMARY KEY (id),
    UNIQUE (year)
)
--;
CREATE TABLE ledger_warning_state (
    id BIGSERIAL NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    year INTEGER NOT NULL,
    is_stopped BOOLEAN NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    change_id BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT uq_ledger_warning_state UNIQUE (area_code, year)
)
--;
CREATE TABLE ledger_warning_change (
    id BIGSERIAL NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    year INTEGER NOT NULL,
    change VARCHAR(12) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    remaining NUMERIC(20, 4) NOT NULL,
    stored NUMERIC(20, 4) NOT NULL,
    line NUMERIC(20, 4),
    posting_id BIGINT,
    case_id BIGINT,
    decision_id BIGINT,
    message VARCHAR NOT NULL,
    figures JSONB NOT NULL,
    PRIMARY KEY (id)
)
--;
CREATE INDEX ix_ledger_warning_change ON ledger_warning_change (area_code, id)
--;
CREATE TABLE number_counter (
    series VARCHAR(120) NOT NULL,
    scope VARCHAR(200) NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (series, scope)
)
--;
CREATE TABLE given_number (
    id BIGSERIAL NOT NULL,
    number VARCHAR(200) NOT NULL,
    series VARCHAR(120) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    state VARCHAR(8) NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    void_at TIMESTAMP WITH TIME ZONE,
    void_reason VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (number)
)
--;
CREATE INDEX ix_given_number_series ON given_number (series)
--;
CREATE INDEX ix_given_number_subject ON given_number (subject)
--;
CREATE TABLE parameter (
    key VARCHAR(64) NOT NULL,
    value VARCHAR NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_by BIGINT,
    version INTEGER NOT NULL,
    PRIMARY KEY (key)
)
--;
CREATE TABLE template_file (
    id BIGSERIAL NOT NULL,
    key VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    digest VARCHAR(64) NOT NULL,
    name VARCHAR NOT NULL,
    size_bytes INTEGER NOT NULL,
    media_type VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    by BIGINT,
    by_name VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_template_file_version UNIQUE (key, version)
)
--;
CREATE TABLE person (
    id BIGSERIAL NOT NULL,
    login VARCHAR(64),
    name VARCHAR NOT NULL,
    organisation_id BIGINT,
    is_applicant BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_demo BOOLEAN NOT NULL,
    password_hash VARCHAR,
    password_changed_at TIMESTAMP WITH TIME ZONE,
    must_change_password BOOLEAN NOT NULL,
    issuer VARCHAR(200),
    subject VARCHAR(200),
    phone VARCHAR,
    theme VARCHAR NOT NULL,
    density VARCHAR,
    text_size VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_person_identity UNIQUE (issuer, subject),
    UNIQUE (login),
    FOREIGN KEY(organisation_id) REFERENCES organisation (id)
)
--;
CREATE INDEX ix_person_organisation_id ON person (organisation_id)
--;
CREATE TABLE task (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    step VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    role VARCHAR(64) NOT NULL,
    district_code VARCHAR(12),
    organisation_id BIGINT,
    status VARCHAR(16) NOT NULL,
    assignee_id BIGINT,
    reserved_for BIGINT,
    parent_id BIGINT,
    order_no INTEGER NOT NULL,
    branch VARCHAR NOT NULL,
    came_from BIGINT,
    action VARCHAR(64),
    opinion VARCHAR NOT NULL,
    draft_opinion VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE,
    done_at TIMESTAMP WITH TIME ZONE,
    done_by BIGINT,
    urged_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_task_assignee ON task (assignee_id, status, id)
--;
CREATE INDEX ix_task_queue ON task (status, role, district_code, id)
--;
CREATE INDEX ix_task_reserved ON task (reserved_for, case_id)
--;
CREATE INDEX ix_task_case ON task (case_id, id)
--;
CREATE INDEX ix_task_done_by ON task (done_by, case_id)
--;
CREATE TABLE case_event (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    task_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    person_name VARCHAR NOT NULL,
    on_behalf_of VARCHAR,
    operation VARCHAR(64) NOT NULL,
    label VARCHAR NOT NULL,
    step VARCHAR(64),
    to_step VARCHAR(64),
    opinion VARCHAR NOT NULL,
    duration_s INTEGER,
    detail JSONB NOT NULL,
    is_public BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_case_event_case ON case_event (case_id, id)
--;
CREATE TABLE case_version (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    version_no INTEGER NOT NULL,
    reason VARCHAR(64) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    values JSONB NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_case_version UNIQUE (case_id, version_no),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE TABLE case_correction (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_by BIGINT,
    items JSONB NOT NULL,
    note VARCHAR NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_case_correction_case_id ON case_correction (case_id)
--;
CREATE TABLE case_index (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    field VARCHAR(80) NOT NULL,
    text_value VARCHAR(200),
    number_value NUMERIC(20, 4),
    date_value DATE,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_case_index_case ON case_index (case_id)
--;
CREATE INDEX ix_case_index_date ON case_index (field, date_value, case_id)
--;
CREATE INDEX ix_case_index_text ON case_index (field, text_value, case_id)
--;
CREATE INDEX ix_case_index_number ON case_index (field, number_value, case_id)
--;
CREATE TABLE case_link (
    id BIGSERIAL NOT NULL,
    from_id BIGINT NOT NULL,
    to_id BIGINT NOT NULL,
    relation VARCHAR(24) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_case_link UNIQUE (from_id, to_id, relation),
    FOREIGN KEY(from_id) REFERENCES case_file (id),
    FOREIGN KEY(to_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_case_link_to_id ON case_link (to_id)
--;
CREATE INDEX ix_case_link_from_id ON case_link (from_id)
--;
CREATE TABLE material (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    slot VARCHAR(64) NOT NULL,
    name VARCHAR NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size INTEGER NOT NULL,
    media_type VARCHAR(100) NOT NULL,
    version_no INTEGER NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    uploaded_by BIGINT,
    step VARCHAR(64),
    replaced_by BIGINT,
    removed_at TIMESTAMP WITH TIME ZONE,
    read JSONB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_material_case ON material (case_id, slot, id)
--;
CREATE TABLE case_snapshot (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest VARCHAR(64) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (case_id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE TABLE case_range (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR NOT NULL,
    report_number VARCHAR NOT NULL,
    protected_m2 NUMERIC(20, 2),
    paddy_m2 NUMERIC(20, 2),
    file_name VARCHAR NOT NULL,
    file_digest VARCHAR(64) NOT NULL,
    declared_crs VARCHAR(32) NOT NULL,
    detected JSONB NOT NULL,
    geometry geometry(GEOMETRY,4490),
    area_m2 NUMERIC(20, 2),
    district_code VARCHAR(12),
    west FLOAT,
    south FLOAT,
    east FLOAT,
    north FLOAT,
    step VARCHAR(64) NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    uploaded_by BIGINT,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    replaces BIGINT,
    removed_at TIMESTAMP WITH TIME ZONE,
    removed_by BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_case_range_box ON case_range (west, east)
--;
CREATE INDEX ix_case_range_case ON case_range (case_id, id)
--;
CREATE TABLE document (
    id BIGSERIAL NOT NULL,
    case_id BIGINT,
    key VARCHAR(64) NOT NULL,
    label VARCHAR NOT NULL,
    number VARCHAR(200),
    status VARCHAR(8) NOT NULL,
    current_version INTEGER NOT NULL,
    is_public BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    void_at TIMESTAMP WITH TIME ZONE,
    void_by BIGINT,
    void_reason VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id),
    UNIQUE (number)
)
--;
CREATE INDEX ix_document_case ON document (case_id, key, id)
--;
CREATE TABLE outbox_attempt (
    id BIGSERIAL NOT NULL,
    message_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration_ms INTEGER NOT NULL,
    result VARCHAR(24) NOT NULL,
    detail VARCHAR NOT NULL,
    wire JSONB,
    PRIMARY KEY (id),
    FOREIGN KEY(message_id) REFERENCES outbox_message (id)
)
--;
CREATE INDEX ix_outbox_attempt_message_id ON outbox_attempt (message_id)
--;
CREATE TABLE hold (
    id BIGSERIAL NOT NULL,
    object_kind VARCHAR(16) NOT NULL,
    object_key VARCHAR(64) NOT NULL,
    case_id BIGINT NOT NULL,
    mark VARCHAR(16) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    ended_at TIMESTAMP WITH TIME ZONE,
    end_reason VARCHAR(24) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE UNIQUE INDEX ux_hold_active ON hold (object_kind, object_key) WHERE ended_at IS NULL
--;
CREATE INDEX ix_hold_case ON hold (case_id, ended_at)
--;
CREATE TABLE layer_edition (
    id BIGSERIAL NOT NULL,
    layer_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    token VARCHAR(64) NOT NULL,
    effective_on DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    extent VARCHAR(16) NOT NULL,
    region_code VARCHAR(16),
    case_id BIGINT,
    note VARCHAR NOT NULL,
    added_count INTEGER NOT NULL,
    ended_count INTEGER NOT NULL,
    feature_count INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (layer_id, number),
    FOREIGN KEY(layer_id) REFERENCES layer (id),
    UNIQUE (token)
)
--;
CREATE INDEX ix_layer_edition_layer_id ON layer_edition (layer_id)
--;
CREATE INDEX ix_layer_edition_case_id ON layer_edition (case_id)
--;
CREATE TABLE feature (
    id BIGSERIAL NOT NULL,
    layer_id BIGINT NOT NULL,
    key VARCHAR(64) NOT NULL,
    district_code VARCHAR(16) NOT NULL,
    class_code VARCHAR(32) NOT NULL,
    status VARCHAR(32) NOT NULL,
    area_m2 NUMERIC(20, 2) NOT NULL,
    attributes JSONB NOT NULL,
    geometry geometry(GEOMETRY,4490) NOT NULL,
    west FLOAT NOT NULL,
    south FLOAT NOT NULL,
    east FLOAT NOT NULL,
    north FLOAT NOT NULL,
    from_number INTEGER NOT NULL,
    until_number INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(layer_id) REFERENCES layer (id)
)
--;
CREATE INDEX ix_feature_key ON feature (layer_id, key)
--;
CREATE UNIQUE INDEX ux_feature_current ON feature (layer_id, key) WHERE until_number IS NULL
--;
CREATE INDEX ix_feature_district ON feature (layer_id, district_code, until_number)
--;
CREATE INDEX ix_feature_geometry ON feature USING gist (geometry)
--;
CREATE TABLE ledger_posting (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(24) NOT NULL,
    key VARCHAR(80) NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    other_area_code VARCHAR(12),
    year INTEGER NOT NULL,
    amount NUMERIC(20, 4) NOT NULL,
    case_id BIGINT,
    task_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    booked_on DATE NOT NULL,
    person_id BIGINT,
    memo VARCHAR NOT NULL,
    reversal_of BIGINT,
    PRIMARY KEY (id),
    UNIQUE (key),
    FOREIGN KEY(case_id) REFERENCES case_file (id),
    UNIQUE (reversal_of)
)
--;
CREATE INDEX ix_ledger_posting_case ON ledger_posting (case_id)
--;
CREATE INDEX ix_ledger_posting_area ON ledger_posting (area_code, year)
--;
CREATE TABLE ledger_freeze (
    id BIGSERIAL NOT NULL,
    account_id BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    task_id BIGINT,
    step VARCHAR(64) NOT NULL,
    amount NUMERIC(20, 4) NOT NULL,
    state VARCHAR(12) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    posting_id BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES ledger_account (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE UNIQUE INDEX ux_ledger_freeze_active ON ledger_freeze (case_id, account_id) WHERE state = 'active'
--;
CREATE INDEX ix_ledger_freeze_account ON ledger_freeze (account_id, state)
--;
CREATE TABLE outflow_record (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    task_id BIGINT,
    method VARCHAR(16) NOT NULL,
    area_m2 NUMERIC(20, 2) NOT NULL,
    paddy_m2 NUMERIC(20, 2) NOT NULL,
    rows JSONB NOT NULL,
    editions JSONB NOT NULL,
    ranges JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_outflow_record_case ON outflow_record (case_id, id)
--;
CREATE TABLE payment_record (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    voucher_number VARCHAR(64) NOT NULL,
    amount NUMERIC(20, 2) NOT NULL,
    paid_on DATE NOT NULL,
    item VARCHAR NOT NULL,
    source VARCHAR(8) NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by BIGINT,
    void_at TIMESTAMP WITH TIME ZONE,
    void_reason VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_payment_voucher UNIQUE (case_id, voucher_number),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_payment_record_case_id ON payment_record (case_id)
--;
CREATE TABLE plot_upload (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    name VARCHAR NOT NULL,
    plot_count INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    person_name VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_plot_upload_case_id ON plot_upload (case_id)
--;
CREATE TABLE case_plot (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    upload_id BIGINT,
    plot_number VARCHAR(64) NOT NULL,
    plot_name VARCHAR NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    quota_scope VARCHAR(40) NOT NULL,
    class_code VARCHAR(8) NOT NULL,
    class_name VARCHAR NOT NULL,
    area_m2 NUMERIC(20, 2) NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_case_plot UNIQUE (case_id, plot_number),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE TABLE report_round (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    kind VARCHAR(64) NOT NULL,
    round_no INTEGER NOT NULL,
    business_key VARCHAR(120) NOT NULL,
    state VARCHAR(16) NOT NULL,
    number VARCHAR(64),
    receipt_number VARCHAR(80),
    faults JSONB NOT NULL,
    detail JSONB NOT NULL,
    package_digest VARCHAR(64),
    original_id BIGINT,
    job_id BIGINT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_by BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id),
    UNIQUE (business_key)
)
--;
CREATE INDEX ix_report_round_state ON report_round (state, id)
--;
CREATE INDEX ix_report_round_number ON report_round (number)
--;
CREATE INDEX ix_report_round_case ON report_round (case_id, id)
--;
CREATE TABLE signed_in_session (
    id BIGSERIAL NOT NULL,
    token_digest VARCHAR(64) NOT NULL,
    person_id BIGINT NOT NULL,
    csrf_token VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    address VARCHAR NOT NULL,
    browser VARCHAR NOT NULL,
    id_token VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (token_digest),
    FOREIGN KEY(person_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_signed_in_session_person_id ON signed_in_session (person_id)
--;
CREATE TABLE notice (
    id BIGSERIAL NOT NULL,
    person_id BIGINT NOT NULL,
    kind VARCHAR(64) NOT NULL,
    title VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    case_id BIGINT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_notice_case_id ON notice (case_id)
--;
CREATE INDEX ix_notice_person_id ON notice (person_id)
--;
CREATE INDEX ix_notice_created_at ON notice (created_at)
--;
CREATE TABLE role_grant (
    id BIGSERIAL NOT NULL,
    person_id BIGINT NOT NULL,
    role VARCHAR(64) NOT NULL,
    district_code VARCHAR(12),
    town_code VARCHAR(12),
    organisation_id BIGINT,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE,
    given_by BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    FOREIGN KEY(organisation_id) REFERENCES organisation (id)
)
--;
CREATE INDEX ix_role_grant_role ON role_grant (role, district_code)
--;
CREATE INDEX ix_role_grant_person ON role_grant (person_id)
--;
CREATE TABLE absence (
    id BIGSERIAL NOT NULL,
    person_id BIGINT NOT NULL,
    delegate_id BIGINT NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason VARCHAR NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    created_by BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    FOREIGN KEY(delegate_id) REFERENCES person (id)
)
--;
CREATE INDEX ix_absence_delegate_id ON absence (delegate_id)
--;
CREATE INDEX ix_absence_person_id ON absence (person_id)
--;
CREATE TABLE saved_filter (
    id BIGSERIAL NOT NULL,
    person_id BIGINT NOT NULL,
    page VARCHAR(24) NOT NULL,
    name VARCHAR NOT NULL,
    query VARCHAR NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_saved_filter UNIQUE (person_id, page, name),
    FOREIGN KEY(person_id) REFERENCES person (id)
)
--;
CREATE TABLE clock (
    id BIGSERIAL NOT NULL,
    case_id BIGINT NOT NULL,
    task_id BIGINT,
    key VARCHAR(64) NOT NULL,
    label VARCHAR NOT NULL,
    counting VARCHAR(8) NOT NULL,
    light_set VARCHAR(64) NOT NULL,
    legal_days INTEGER,
    warning_days INTEGER,
    status VARCHAR(8) NOT NULL,
    due_on DATE NOT NULL,
    is_provisional BOOLEAN NOT NULL,
    light VARCHAR(8) NOT NULL,
    light_words VARCHAR NOT NULL,
    is_light_held BOOLEAN NOT NULL,
    used_days INTEGER NOT NULL,
    left_days INTEGER NOT NULL,
    over_days INTEGER NOT NULL,
    calendar_version VARCHAR(16) NOT NULL,
    refreshed_on DATE NOT NULL,
    fault VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id),
    FOREIGN KEY(task_id) REFERENCES task (id)
)
--;
CREATE INDEX ix_clock_light ON clock (light, due_on)
--;
CREATE INDEX ix_clock_task_id ON clock (task_id)
--;
CREATE INDEX ix_clock_case ON clock (case_id, id)
--;
CREATE INDEX ix_clock_open ON clock (status, case_id)
--;
CREATE TABLE document_version (
    id BIGSERIAL NOT NULL,
    document_id BIGINT NOT NULL,
    version_no INTEGER NOT NULL,
    code VARCHAR(12) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size_bytes BIGINT NOT NULL,
    content_digest VARCHAR(64) NOT NULL,
    content JSONB NOT NULL,
    issued_on DATE NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    issued_by BIGINT,
    reason VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_document_version UNIQUE (document_id, version_no),
    FOREIGN KEY(document_id) REFERENCES document (id),
    UNIQUE (code)
)
--;
CREATE INDEX ix_document_version_digest ON document_version (digest)
--;
CREATE TABLE ledger_entry (
    id BIGSERIAL NOT NULL,
    posting_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    amount NUMERIC(20, 4) NOT NULL,
    balance_after NUMERIC(20, 4) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_ledger_entry UNIQUE (posting_id, account_id),
    FOREIGN KEY(posting_id) REFERENCES ledger_posting (id),
    FOREIGN KEY(account_id) REFERENCES ledger_account (id)
)
--;
CREATE INDEX ix_ledger_entry_account ON ledger_entry (account_id, id)
--;
CREATE TABLE resource_detail (
    id BIGSERIAL NOT NULL,
    list_key VARCHAR(24) NOT NULL,
    posting_id BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    area_code VARCHAR(12) NOT NULL,
    year INTEGER NOT NULL,
    number VARCHAR(80) NOT NULL,
    title VARCHAR NOT NULL,
    amount NUMERIC(20, 4) NOT NULL,
    paddy NUMERIC(20, 4),
    resource_type VARCHAR(40) NOT NULL,
    scope VARCHAR(40) NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (posting_id),
    FOREIGN KEY(posting_id) REFERENCES ledger_posting (id),
    FOREIGN KEY(case_id) REFERENCES case_file (id)
)
--;
CREATE INDEX ix_resource_detail_list ON resource_detail (list_key, area_code, id)
--;
CREATE INDEX ix_resource_detail_case_id ON resource_detail (case_id)
--;
CREATE TABLE report_event (
    id BIGSERIAL NOT NULL,
    round_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(16) NOT NULL,
    words VARCHAR NOT NULL,
    person_name VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(round_id) REFERENCES report_round (id)
)
--;
CREATE INDEX ix_report_event_round_id ON report_event (round_id)
--;
CREATE TABLE clock_entry (
    id BIGSERIAL NOT NULL,
    clock_id BIGINT NOT NULL,
    kind VARCHAR(12) NOT NULL,
    effective_on DATE NOT NULL,
    days INTEGER,
    due_on DATE,
    was_due_on DATE,
    was_provisional BOOLEAN,
    is_provisional BOOLEAN,
    calendar_version VARCHAR(16) NOT NULL,
    reason VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id BIGINT,
    person_name VARCHAR NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(clock_id) REFERENCES clock (id)
)
--;
CREATE INDEX ix_clock_entry_clock ON clock_entry (clock_id, id)
--;
CREATE INDEX ix_clock_entry_calendar ON clock_entry (calendar_version)
