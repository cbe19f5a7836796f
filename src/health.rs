//! `GET /healthz`: whether the registry can be written and the name servers answer.
//!
//! A monitor may ask as often as it likes: the name servers are asked at most every
//! five seconds, and the result is shared through a file in the state directory.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::deadline::Deadline;
use crate::dns;
use crate::http::{Response, Status};
use crate::lock;
use crate::publish::Publisher;
use crate::registry::Registry;
use crate::token::LookupKey;

/// How long a result is good for.
pub const FRESH: Duration = Duration::from_secs(5);
/// How long a name server may take.
const WAIT: Duration = Duration::from_millis(500);

/// `ok`, or 503 and which one did not answer; no names, no secrets.
pub fn respond(config: &Config, json: bool) -> Response {
    let shared = config.state_directory().join("locks").join("health");
    let result = recent(&shared).unwrap_or_else(|| {
        let result = check(config);
        // Where it cannot be shared it is only asked again.
        let _ = share(&shared, result);
        result.to_owned()
    });
    match result.as_str() {
        OK => Response::word(Status::Ok, OK, json),
        trouble => {
            Response::word(Status::ServiceUnavailable, trouble, json).with("Retry-After", "30")
        }
    }
}

const OK: &str = "ok";

fn check(config: &Config) -> &'static str {
    let _until = Registry::give_up_at(Deadline::after(WAIT));
    let registry = LookupKey::load(&config.state.lookup_key)
        .is_ok_and(|key| Registry::open(&config.state.registry, key).is_ok_and(writable));
    if !registry {
        return "registry";
    }
    let publisher = Publisher::new(config);
    let Ok(mut servers) = publisher.servers() else {
        return "configuration";
    };
    servers.sort_by_key(|(_, server)| server.address);
    servers.dedup_by_key(|(_, server)| server.address);
    let silent = servers
        .iter()
        .any(|(zone, server)| dns::lookup(server, zone, &[], true, Deadline::after(WAIT)).is_err());
    if silent { "name server" } else { OK }
}

fn writable(mut registry: Registry) -> bool {
    registry.is_writable().unwrap_or_default()
}

/// The shared result, while it is fresh.
fn recent(file: &Path) -> Option<String> {
    let age = fs::metadata(file).ok()?.modified().ok()?.elapsed().ok()?;
    let result = fs::read_to_string(file).ok()?;
    let result = result.strip_suffix('\n')?;
    (age < FRESH).then(|| result.to_owned())
}

fn share(file: &Path, result: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut file = lock::open(file)?;
    // One at a time; a reader that comes in between finds no whole line and asks itself.
    file.try_lock()?;
    file.set_len(0)?;
    file.write_all(format!("{result}\n").as_bytes())?;
    Ok(())
}
