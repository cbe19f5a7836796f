-- Second step: owners, hosts behind a router, troubles that are tried again later.

CREATE TABLE owner (
    -- Never given out twice: counters go by it.
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE,
    -- 'active' or 'disabled'.
    state   TEXT NOT NULL DEFAULT 'active',
    mail    TEXT,
    created INTEGER NOT NULL
) STRICT;

-- Whose host it is; NULL: nobody's but its own token's.
ALTER TABLE host ADD COLUMN owner INTEGER REFERENCES owner (id);
CREATE INDEX host_owner ON host (owner) WHERE owner IS NOT NULL;

-- The host whose LAN prefix gives this one its IPv6 address, and the interface
-- identifier below that prefix, written as an address.
ALTER TABLE host ADD COLUMN behind INTEGER REFERENCES host (id) ON DELETE SET NULL;
ALTER TABLE host ADD COLUMN interface_id TEXT;
CREATE INDEX host_behind ON host (behind) WHERE behind IS NOT NULL;

-- Why its wish is no fact, how often upkeep has tried in vain, and when it tries again.
ALTER TABLE host ADD COLUMN trouble TEXT;
ALTER TABLE host ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE host ADD COLUMN retry_at INTEGER;

-- A token is a host's or an owner's.
CREATE TABLE token_2 (
    digest BLOB PRIMARY KEY,
    host   INTEGER REFERENCES host (id) ON DELETE CASCADE,
    owner  INTEGER REFERENCES owner (id) ON DELETE CASCADE,
    -- NULL: in force. Else: an old one that dies then.
    until  INTEGER,
    -- When an old one was last used.
    used   INTEGER,
    CHECK ((host IS NULL) <> (owner IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO token_2 (digest, host, until, used) SELECT digest, host, until, used FROM token;
DROP TABLE token;
ALTER TABLE token_2 RENAME TO token;
CREATE INDEX token_host ON token (host) WHERE host IS NOT NULL;
CREATE INDEX token_owner ON token (owner) WHERE owner IS NOT NULL;

-- What is known of a zone as a whole.
CREATE TABLE zone (
    name      TEXT PRIMARY KEY,
    -- The newest serial seen.
    serial    INTEGER NOT NULL,
    -- When an older one was seen after that, until all hosts have been compared since.
    went_back INTEGER,
    -- The last comparison of all hosts with what the name server shows: the serial before
    -- it began, when it ended, and how long it took, in milliseconds.
    compared_serial INTEGER,
    compared_at     INTEGER,
    took            INTEGER NOT NULL DEFAULT 0,
    -- One that is not through yet goes on behind this host.
    cursor          TEXT,
    -- How many hosts differed and were left so.
    unmended        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Hosts are compared zone by zone, in the order of their names.
CREATE INDEX host_zone ON host (zone, name);
