-- What push providers answered stands in a call's timeline: event-fanout keeps the line until call-control has it. Written in the
-- transaction that settles the push, told in the order of `position` by one replica at a time.

CREATE TABLE events.push_line (
    position  bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    call      uuid NOT NULL,
    line      bytea NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT push_line_pkey PRIMARY KEY (position),
    CONSTRAINT push_line_size CHECK (octet_length(line) <= 2048)
);
COMMENT ON COLUMN events.push_line.line IS 'a PushLine of call.v1';

ALTER TABLE events.push_line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON events.push_line USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, DELETE ON events.push_line TO belfry_events;

ALTER TABLE calls.timeline DROP CONSTRAINT timeline_kind_known;
ALTER TABLE calls.timeline ADD CONSTRAINT timeline_kind_known
    CHECK (kind IN ('started', 'step', 'branch', 'ringing', 'branch-ended', 'answered', 'ended', 'transfer', 'note',
                    'waking', 'woken', 'wake-ended', 'push.sent', 'push.failed'));
