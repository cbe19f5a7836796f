-- Third step: challenges for certificates, TXT at _acme-challenge of a host (RFC 8555 8.4).

CREATE TABLE challenge (
    -- Grows with everything that is asked: who settles sees whether it was asked again.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose it is. A host that is gone leaves its challenges until the name server has none.
    host        INTEGER NOT NULL,
    zone        TEXT NOT NULL,
    -- The name that the certificate is for: the host's, or a former one.
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    -- The dialect that asked: each replaces what it has set itself.
    dialect     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    -- Whether it is to be there or to be gone, and whether the name server shows that.
    wanted      INTEGER NOT NULL,
    confirmed   INTEGER NOT NULL DEFAULT 0,
    -- When an exchange last ended without a verified answer.
    unconfirmed INTEGER,
    -- How often the name server has refused it, and when it is tried again.
    failures    INTEGER NOT NULL DEFAULT 0,
    retry_at    INTEGER,
    UNIQUE (host, name, value)
) STRICT;
CREATE INDEX challenge_name ON challenge (name);

-- The networks from which alone a host may be visited, where its client asked for that when it
-- registered.
CREATE TABLE account_network (
    host    INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    PRIMARY KEY (host, network)
) STRICT, WITHOUT ROWID;
