//! A site that tells, and its command line.

use std::fs;
use std::process::Output;
use std::time::SystemTime;

use bowline::span::Span;
use bowline::time::Timestamp;
use serde_json::Value;

use crate::support::site::Site;

/// A site with these tables of `[notify]`.
pub(crate) fn site(notify: &str) -> Site {
    let site = Site::new();
    configure(&site, notify);
    site
}

/// Writes its configuration anew.
pub(crate) fn configure(site: &Site, notify: &str) {
    let more = format!("[limits]\nchanges = \"off\"\nwrong_secrets = \"off\"\n{notify}");
    site.configure("http://update.example.org", &more);
}

/// Both outputs.
pub(crate) fn said(output: &Output) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A round of upkeep: messages sent, failed and given up.
pub(crate) fn upkeep(site: &Site) -> [u64; 3] {
    let report: Value = serde_json::from_str(&site.bowline(&["upkeep", "--json"])).unwrap();
    ["sent", "failed", "given_up"].map(|what| report["messages"][what].as_u64().unwrap())
}

/// Empties the outbox.
pub(crate) fn forget(site: &Site) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("DELETE FROM outbox", []).unwrap();
}

/// Lets so much time go by for all that waits in the outbox.
pub(crate) fn later(site: &Site, seconds: i64) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let set = "UPDATE outbox SET at = at - ?1, retry_at = retry_at - ?1 WHERE done IS NULL";
    db.execute(set, [seconds]).unwrap();
}

/// Why what is in the outbox was not delivered, of the newest that was not.
pub(crate) fn trouble(site: &Site) -> String {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let why = "SELECT coalesce(trouble, '') FROM outbox ORDER BY id DESC LIMIT 1";
    db.query_row(why, [], |row| row.get(0)).unwrap()
}

/// How many rows of the outbox wait.
pub(crate) fn waiting(site: &Site) -> i64 {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let count = "SELECT count(*) FROM outbox WHERE done IS NULL";
    db.query_row(count, [], |row| row.get(0)).unwrap()
}

/// Makes it look as if rounds had come every minute for so long.
pub(crate) fn steady_for(site: &Site, span: Span) {
    let file = site.path("state/locks/upkeep");
    let since = Timestamp::now().minus(span).seconds();
    fs::write(&file, format!("{since}\n")).unwrap();
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}
