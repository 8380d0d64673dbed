-- A push device belongs to the extension that registered it, not to its number: whoever has the number next never gets it.

ALTER TABLE events.push_device
    ADD COLUMN extension uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
COMMENT ON COLUMN events.push_device.extension IS
    'id of the extension (registry.extension): calls find a device by it; the nil UUID is nobody''s';

-- What there is belongs to who has the number now; what an extension left that was deleted goes.
DELETE FROM events.push_device d
    WHERE NOT EXISTS (SELECT FROM registry.extension e WHERE e.tenant_id = d.tenant_id AND e.number = d.number);
UPDATE events.push_device d SET extension = e.id
    FROM registry.extension e WHERE e.tenant_id = d.tenant_id AND e.number = d.number;
