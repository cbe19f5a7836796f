-- The registry, first version. Times are seconds since 1970, names are A-labels in
-- lower case without the final dot, lists of names have a space between.

CREATE TABLE meta (
    -- HMAC under the lookup key: a registry made with another key is recognised.
    lookup_check BLOB NOT NULL
) STRICT;

CREATE TABLE host (
    -- Never given out twice: locks and history go by it.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    zone          TEXT NOT NULL,
    name          TEXT NOT NULL UNIQUE,
    -- 'active', 'disabled' or 'removing'.
    state         TEXT NOT NULL DEFAULT 'active',
    created       INTEGER NOT NULL,

    -- What the operator set; NULL: the zone's, or nothing.
    note          TEXT,
    mail          TEXT,
    ttl           INTEGER,
    expire        INTEGER,
    only_family   TEXT,
    allow_private INTEGER NOT NULL DEFAULT 0,
    wildcard      INTEGER NOT NULL DEFAULT 0,
    plain_http    INTEGER NOT NULL DEFAULT 0,
    -- A static host: addresses set here, no token.
    static        INTEGER NOT NULL DEFAULT 0,
    static_ipv4   TEXT,
    static_ipv6   TEXT,

    -- The wish: what was accepted last.
    wish          INTEGER NOT NULL DEFAULT 0,
    wish_names    TEXT NOT NULL DEFAULT '',
    wish_ipv4     TEXT,
    wish_ipv6     TEXT,
    wish_ttl      INTEGER NOT NULL,
    wish_at       INTEGER NOT NULL,

    -- The fact: what the name server confirmed last, and which wish that was.
    fact          INTEGER NOT NULL DEFAULT 0,
    fact_names    TEXT NOT NULL DEFAULT '',
    fact_ipv4     TEXT,
    fact_ipv6     TEXT,
    fact_serial   INTEGER,
    fact_at       INTEGER,

    -- Every name that may hold records of this host: the fact's, and those of
    -- each wish since, confirmed or not.
    held_names    TEXT NOT NULL DEFAULT '',
    -- When an exchange last ended without a verified answer.
    unconfirmed   INTEGER,

    last_seen     INTEGER,
    last_change   INTEGER
) STRICT;

-- The few hosts that wait for the name server, found without reading the others.
CREATE INDEX host_pending ON host (wish_at) WHERE wish <> fact;
-- Those that may have records elsewhere than at their own name.
CREATE INDEX host_elsewhere ON host (held_names) WHERE held_names <> '' AND held_names <> name;
CREATE INDEX host_expire ON host (expire) WHERE expire > 0;
CREATE INDEX host_unconfirmed ON host (unconfirmed) WHERE unconfirmed IS NOT NULL;
CREATE INDEX host_removing ON host (state) WHERE state = 'removing';

-- Names a host had before: they mean this host, and hold its records, until then.
CREATE TABLE former_name (
    name  TEXT PRIMARY KEY,
    host  INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX former_name_host ON former_name (host);

CREATE TABLE token (
    digest BLOB PRIMARY KEY,
    host   INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    -- NULL: in force. Else: an old one that dies then.
    until  INTEGER,
    -- When an old one was last used.
    used   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_host ON token (host);

CREATE TABLE history (
    id      INTEGER PRIMARY KEY,
    host    INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    -- 'ipv4' or 'ipv6', and the addresses before and after; NULL: none.
    family  TEXT NOT NULL,
    old     TEXT,
    new     TEXT,
    -- The client's address, or NULL from the command line.
    source  TEXT,
    dialect TEXT NOT NULL
) STRICT;
CREATE INDEX history_host ON history (host, at);
CREATE INDEX history_at ON history (at);

-- Names that were removed, so that nobody inherits a stranger's visitors.
CREATE TABLE removed_name (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
