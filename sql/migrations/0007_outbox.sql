-- What call-control has to tell event-fanout, kept until it has it: written in the transaction of the timeline's lines, so
-- that an event is told exactly when what happened is durable. Sent in the order of `position` by one replica at a time.

CREATE TABLE calls.outbox (
    position  bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    call      uuid NOT NULL,
    entry     bytea NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT outbox_pkey PRIMARY KEY (position),
    CONSTRAINT outbox_entry_size CHECK (octet_length(entry) <= 32768)
);
COMMENT ON COLUMN calls.outbox.entry IS 'an Entry of event.v1';

ALTER TABLE calls.outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON calls.outbox USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, DELETE ON calls.outbox TO belfry_calls;

-- Waking a sleeping phone stands in the timeline too.
ALTER TABLE calls.timeline DROP CONSTRAINT timeline_kind_known;
ALTER TABLE calls.timeline ADD CONSTRAINT timeline_kind_known
    CHECK (kind IN ('started', 'step', 'branch', 'ringing', 'branch-ended', 'answered', 'ended', 'transfer', 'note',
                    'waking', 'woken', 'wake-ended'));
