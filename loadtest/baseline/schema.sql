-- The baseline's tables, with the columns and versions that the stock modules of Kamailio 5.6 ask for.
CREATE TABLE version (table_name varchar(32) PRIMARY KEY, table_version integer NOT NULL);
INSERT INTO version VALUES ('subscriber', 7), ('domain', 2), ('domain_attrs', 1), ('location', 9), ('location_attrs', 1);

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
