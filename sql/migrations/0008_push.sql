-- Pushes on their way: who has one in memory, when it is tried again, what a device may have got.
--
-- A wake belongs to a replica (`owner`), as deliveries do; when that one dies another takes over. `held` says that the owner has
-- it in memory, with a request under way or about to be: then who ends the wake only says so, and the owner goes on from there
-- when its request is answered.

ALTER TABLE events.wake
    ADD COLUMN kind text NOT NULL DEFAULT 'wake',
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    ADD COLUMN got boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT wake_state_known,
    ADD CONSTRAINT wake_state_known CHECK (state IN ('waking', 'waiting', 'cancelling', 'over')),
    ADD CONSTRAINT wake_kind_known CHECK (kind IN ('wake', 'test'));
COMMENT ON COLUMN events.wake.state IS
    'waking: a push is to be sent; waiting: it was; cancelling: a cancel push is to be sent; over: nothing more';
COMMENT ON COLUMN events.wake.kind IS 'test: of no call, asked for by REST';
COMMENT ON COLUMN events.wake.next_attempt_at IS 'when the owner looks for it here; far off while it holds it in memory';
COMMENT ON COLUMN events.wake.got IS 'the device may have got the push: it was sent, or nobody knows. Else no cancel is needed';
DROP INDEX events.wake_open_idx;
CREATE INDEX wake_due_idx ON events.wake (owner, next_attempt_at) WHERE state IN ('waking', 'cancelling');
GRANT UPDATE (attempts, next_attempt_at, held, got, until) ON events.wake TO belfry_events;

ALTER TABLE events.push_attempt
    DROP CONSTRAINT push_attempt_kind_known,
    ADD CONSTRAINT push_attempt_kind_known CHECK (kind IN ('wake', 'cancel', 'test'));
-- What happened with the pushes to a device, newest first: calls' ids grow with time.
CREATE INDEX push_attempt_device_idx ON events.push_attempt (device, call DESC, number DESC);
