//! The checks by name: what each is about, for the manual.

/// Every check there is, in the order of the report. Names stay from version to version.
pub const CHECKS: [(&str, &str); 67] = [
    ("configuration", "bowline.toml can be read and has a zone"),
    (
        "configuration-owner",
        "nobody else changes bowline.toml or its directory",
    ),
    ("files", "what init wrote is there, and unchanged"),
    ("secrets", "nobody reads a secret without need"),
    ("key-strength", "the key for updates is not a weak one"),
    (
        "key-copy",
        "the name server's copy of the key is ours, and open to it",
    ),
    (
        "state-directory",
        "owner and mode of the state directory; it is no link",
    ),
    (
        "keys-readable",
        "the user that runs bowline reads configuration and keys",
    ),
    ("log-file", "the user that runs bowline appends to its log"),
    ("locks", "the directory of the locks is there"),
    ("counters", "limits are counted"),
    (
        "disk-space",
        "registry and journal have room, and can be written",
    ),
    (
        "registry-owner",
        "owner and mode of the registry; it is no link",
    ),
    (
        "registry-integrity",
        "SQLite finds it whole, and its references too",
    ),
    ("registry-version", "its schema is this version's"),
    ("lookup-key", "the registry was made with it"),
    ("hosts", "the zone of every host is configured"),
    ("pending", "nothing waits for its name server for long"),
    ("ttl", "an address that changed is forgotten within a day"),
    ("upkeep", "a round was done in the last minutes"),
    ("log-tokens", "no log has a token in force"),
    ("clock", "it agrees with the name server's"),
    (
        "route-localnet",
        "nobody on the network can send from 127.0.0.1",
    ),
    ("responder", "it runs the executable that is installed"),
    (
        "notify",
        "what tells of changes may do its work in upkeep's unit",
    ),
    (
        "own-user",
        "no web server runs as the user that has the keys",
    ),
    (
        "include",
        "the name server's own configuration has it read bowline's",
    ),
    ("boot", "the servers start with the machine"),
    ("server-loopback", "updates do not leave this machine"),
    ("key-file", "the key for updates can be read"),
    ("server-udp", "the name server answers datagrams"),
    ("server-tcp", "the name server answers connections"),
    ("zone", "the name server serves the zone"),
    ("key", "it knows the key: name, algorithm, secret"),
    (
        "update-accepted",
        "it accepts updates with the key from here",
    ),
    ("key-rights", "the key may change A and AAAA below the apex"),
    ("key-reach", "the key may change nothing else"),
    (
        "challenges",
        "with --acme the key may set challenges, and at other names no TXT",
    ),
    ("update-neighbours", "zones above take no unsigned updates"),
    ("update-unsigned", "unsigned updates are refused"),
    ("update-wrong-key", "other keys are refused"),
    ("update-source", "the key is of no use from other addresses"),
    ("zone-untouched", "the probes have changed nothing"),
    ("zone-frozen", "Knot has not frozen the zone"),
    ("zone-transaction", "no transaction of knotc is left open"),
    (
        "durability",
        "what was accepted outlives restarts, crashes and power cuts",
    ),
    (
        "policy-script",
        "the script that decides about updates in PowerDNS is there",
    ),
    ("rrl", "Knot's rate limits drop no updates"),
    ("acl", "Knot's rule names our key and address"),
    ("zone-soa", "absent names are forgotten soon"),
    (
        "zone-ns",
        "the zone has the NS its parent is told, with names outside it",
    ),
    ("zone-dnssec", "signatures are made anew in time"),
    ("delegation", "the world sees the zone's own NS"),
    ("glue", "every name server has an address"),
    ("ds", "the parent's DS is that of a key in the zone"),
    ("secondaries", "every name server has the same serial"),
    ("reach", "a resolver outside reaches the zone"),
    ("reach-ipv4", "the same by IPv4"),
    ("reach-ipv6", "the same by IPv6"),
    ("caa", "with --acme some authority may issue certificates"),
    ("log-format", "the web server's site logs no paths"),
    ("url", "bowline answers at its URL"),
    (
        "url-certificate",
        "its certificate is valid, and for long enough",
    ),
    (
        "url-address",
        "bowline sees the client's address, not a proxy's",
    ),
    ("log-paths", "a path that was just visited is in no log"),
    (
        "default-host",
        "clients without a Host header show no token either",
    ),
    ("server-status", "no status page shows requests"),
];

/// The table for the manual.
pub fn table() -> String {
    let lines = CHECKS
        .iter()
        .map(|(name, about)| format!("  {name:<18}  {about}"));
    let lines: Vec<String> = lines.collect();
    format!("Checks:\n{}", lines.join("\n"))
}
