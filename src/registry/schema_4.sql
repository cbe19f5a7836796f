-- Fourth step: word of what happened.

-- The kinds of events to be told of a host, or of all hosts of an owner; NULL: as configured.
ALTER TABLE host ADD COLUMN notify TEXT;
ALTER TABLE owner ADD COLUMN notify TEXT;
-- The longest pause of late between two visits that are noted, in seconds.
ALTER TABLE host ADD COLUMN usual INTEGER;
-- When it was last told that it is silent, and that it is pending.
ALTER TABLE host ADD COLUMN silent_told INTEGER;
ALTER TABLE host ADD COLUMN pending_told INTEGER;
-- What the name server was found to show instead, until it is mended.
ALTER TABLE host ADD COLUMN differs TEXT;

-- What is to be told, a row for each channel; what was told stays for the history.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,
    -- NULL: about no host.
    host     INTEGER REFERENCES host (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL,
    channel  TEXT NOT NULL,
    old_ipv4 TEXT,
    old_ipv6 TEXT,
    new_ipv4 TEXT,
    new_ipv6 TEXT,
    reason   TEXT,
    -- The message it is part of, from just before that is sent until it was surely never taken.
    message  TEXT,
    -- Since when that is being sent; when nobody is sending it any more, its sender died.
    sending  INTEGER,
    -- How often it was sent and nothing was heard.
    doubts   INTEGER NOT NULL DEFAULT 0,
    -- How often it could not be delivered, why last, and when it is tried again.
    failures INTEGER NOT NULL DEFAULT 0,
    trouble  TEXT,
    retry_at INTEGER,
    -- When it was delivered, or given up; NULL: it waits.
    done     INTEGER,
    given_up INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_waiting ON outbox (channel, id) WHERE done IS NULL;
CREATE INDEX outbox_host ON outbox (host, event, at);
CREATE INDEX outbox_done ON outbox (done) WHERE done IS NOT NULL;
