//! A name server that is slow by its nature: what upkeep sends it at once is no more than it
//! can do while somebody waits.

use std::fmt::Write as _;
use std::fs;

use crate::instance::{Instance, Kind, shell};
use crate::support::knot::ZONE;

/// So many hosts keep PowerDNS for longer than a request may take, where all are in one UPDATE.
const HOSTS: u8 = 80;
/// What is in its zone besides: it lists all of that for each address that is taken away.
const OTHERS: u32 = 80_000;

/// Static hosts with an address in this network each.
fn import(server: &Instance, net: &str) {
    let mut list = "name,static,ipv4\n".to_owned();
    for n in 0..HOSTS {
        writeln!(list, "h{n},true,{net}.{n}").unwrap();
    }
    let file = server.path("hosts.csv");
    fs::write(&file, list).unwrap();
    server.bowline(&["host", "import", file.to_str().unwrap()]);
}

#[test]
fn all_that_waits_is_published_where_each_host_takes_a_while() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let server = Instance::start(Kind::PowerDns, &["--no-dnssec"]);
    import(&server, "203.0.113");
    server.stop("TERM");
    let database = server.path("pdns/db/bowline.sqlite3");
    shell(&format!(
        "sqlite3 {} \"INSERT INTO records (domain_id, name, type, content, ttl, auth)
         WITH RECURSIVE other(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM other WHERE n < {OTHERS})
         SELECT id, 'other' || n || '.{ZONE}', 'A', '192.0.2.1', 60, 1 FROM other, domains\"",
        database.display()
    ));
    import(&server, "198.51.100");
    server.again();
    // In one round, but for a slow machine.
    let mut pending = u64::from(HOSTS);
    while pending > 0 {
        let round = server.bowline(&["upkeep"]);
        let confirmed = round["confirmed"].as_u64().unwrap();
        assert!(confirmed > 0, "{round}");
        pending -= confirmed;
        assert_eq!(round["pending"], pending, "{round}");
    }
    for n in 0..HOSTS {
        assert_eq!(server.shows(&format!("h{n}")), format!("198.51.100.{n}"));
    }
}
