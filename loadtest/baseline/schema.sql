-- The baseline's tables, with the columns and versions that the stock modules of Kamailio 5.6 ask for.
CREATE TABLE version (table_name varchar(32) PRIMARY KEY, table_version integer NOT NULL);
INSERT INTO version VALUES ('subscriber', 7), ('domain', 2), ('domain_attrs', 1), ('location', 9), ('location_attrs', 1),
    ('dialog', 7), ('dialog_vars', 1);

CREATE TABLE domain (
    id            serial PRIMARY KEY,
    domain        varchar(64) NOT NULL UNIQUE,
    did           varchar(64),
    last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01'
);

CREATE TABLE domain_attrs (
    id            serial PRIMARY KEY,
    did           varchar(64) NOT NULL,
    name          varchar(32) NOT NULL,
    type          integer NOT NULL,
    value         varchar(255) NOT NULL,
    last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01'
);

CREATE TABLE subscriber (
    id       serial PRIMARY KEY,
    username varchar(64) NOT NULL DEFAULT '',
    domain   varchar(64) NOT NULL DEFAULT '',
    password varchar(64) NOT NULL DEFAULT '',
    ha1      varchar(128) NOT NULL DEFAULT '',
    ha1b     varchar(128) NOT NULL DEFAULT '',
    UNIQUE (username, domain)
);

CREATE TABLE location (
    id            serial PRIMARY KEY,
    ruid          varchar(64) NOT NULL DEFAULT '' UNIQUE,
    username      varchar(64) NOT NULL DEFAULT '',
    domain        varchar(64),
    contact       varchar(512) NOT NULL DEFAULT '',
    received      varchar(128),
    path          varchar(512),
    expires       timestamp NOT NULL DEFAULT '2030-05-28 21:32:15',
    q             real NOT NULL DEFAULT 1.0,
    callid        varchar(255) NOT NULL DEFAULT 'Default-Call-ID',
    cseq          integer NOT NULL DEFAULT 1,
    last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01',
    flags         integer NOT NULL DEFAULT 0,
    cflags        integer NOT NULL DEFAULT 0,
    user_agent    varchar(255) NOT NULL DEFAULT '',
    socket        varchar(64),
    methods       integer,
    instance      varchar(255),
    reg_id        integer NOT NULL DEFAULT 0,
    server_id     integer NOT NULL DEFAULT 0,
    connection_id integer NOT NULL DEFAULT 0,
    keepalive     integer NOT NULL DEFAULT 0,
    partition     integer NOT NULL DEFAULT 0
);
CREATE INDEX location_contact ON location (username, domain, contact);
CREATE INDEX location_expires ON location (expires);

CREATE TABLE location_attrs (
    id            serial PRIMARY KEY,
    ruid          varchar(64) NOT NULL DEFAULT '',
    username      varchar(64) NOT NULL DEFAULT '',
    domain        varchar(64),
    aname         varchar(64) NOT NULL DEFAULT '',
    atype         integer NOT NULL DEFAULT 0,
    avalue        varchar(512) NOT NULL DEFAULT '',
    last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01'
);

CREATE TABLE dialog (
    id               serial PRIMARY KEY,
    hash_entry       integer NOT NULL,
    hash_id          integer NOT NULL,
    callid           varchar(255) NOT NULL,
    from_uri         varchar(255) NOT NULL,
    from_tag         varchar(128) NOT NULL,
    to_uri           varchar(255) NOT NULL,
    to_tag           varchar(128) NOT NULL,
    caller_cseq      varchar(20) NOT NULL,
    callee_cseq      varchar(20) NOT NULL,
    caller_route_set varchar(512),
    callee_route_set varchar(512),
    caller_contact   varchar(255) NOT NULL,
    callee_contact   varchar(255) NOT NULL,
    caller_sock      varchar(64) NOT NULL,
    callee_sock      varchar(64) NOT NULL,
    state            integer NOT NULL,
    start_time       integer NOT NULL,
    timeout          integer NOT NULL DEFAULT 0,
    sflags           integer NOT NULL DEFAULT 0,
    iflags           integer NOT NULL DEFAULT 0,
    toroute_name     varchar(32),
    req_uri          varchar(255) NOT NULL,
    xdata            varchar(512)
);
CREATE INDEX dialog_hash ON dialog (hash_entry, hash_id);

CREATE TABLE dialog_vars (
    id           serial PRIMARY KEY,
    hash_entry   integer NOT NULL,
    hash_id      integer NOT NULL,
    dialog_key   varchar(128) NOT NULL,
    dialog_value varchar(512) NOT NULL
);
CREATE INDEX dialog_vars_hash ON dialog_vars (hash_entry, hash_id);
