//! A private Knot with the recommended settings: for each site a zone that takes signed
//! updates, and one zone that takes anybody's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Trouble;
use crate::dns;
use crate::place::Place;
use crate::process::{Server, run};

/// The zone that takes unsigned updates.
pub(crate) const OPEN: &str = "open.example.org";

/// A running name server.
pub(crate) struct Knot {
    /// Where it listens, on loopback.
    pub(crate) port: u16,
    /// Its key, as `keymgr -t` prints it.
    pub(crate) key_file: PathBuf,
    _server: Server,
}

impl Knot {
    /// Starts one in the directory `name`; a zone begins with so many hosts, as [`host`] names them.
    ///
    /// [`host`]: crate::bowline::host
    pub(crate) fn start(
        place: &Place,
        name: &str,
        zones: &[(&str, usize)],
    ) -> Result<Self, Trouble> {
        let dir = place.directory(name)?;
        fs::create_dir(dir.join("state"))?;
        let key_file = dir.join("key.conf");
        let key = run(Command::new("keymgr").args(["-t", "bowline", "hmac-sha256"]))?;
        fs::write(&key_file, key)?;
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o640))?;
        let zones: Vec<_> = zones.iter().copied().chain([(OPEN, 0)]).collect();
        for (zone, hosts) in &zones {
            fs::write(dir.join(format!("{zone}.zone")), zone_file(*hosts))?;
        }
        let port = place.port()?;
        fs::write(dir.join("knot.conf"), configuration(&dir, port, &zones))?;
        let log = fs::File::create(dir.join("log"))?;
        let mut server = Server::start(
            Command::new("knotd")
                .arg("-c")
                .arg(dir.join("knot.conf"))
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log),
        )?;
        for (zone, _) in &zones {
            let so = || Ok(dns::has_zone(port, zone).unwrap_or(false));
            server = server.ready(&format!("knotd with {zone}"), so)?;
        }
        Ok(Knot {
            port,
            key_file,
            _server: server,
        })
    }

    /// What `kdig` says about a name: another's witness besides our own questions.
    pub(crate) fn kdig(&self, name: &str) -> Result<String, Trouble> {
        let port = self.port.to_string();
        let arguments = ["@127.0.0.1", "-p", &port, "+short", name, "A"];
        Ok(run(Command::new("kdig").args(arguments))?.trim().to_owned())
    }
}

/// The zone's first contents.
fn zone_file(hosts: usize) -> String {
    let mut text = "@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 3600 600 1209600 60\n\
                    @ 3600 NS ns1.example.net.\n"
        .to_owned();
    for number in 0..hosts {
        let (host, address) = (
            crate::bowline::host(number),
            crate::bowline::address(number),
        );
        text += &format!("{host} 60 A {address}\n");
    }
    text
}

/// The recommended settings, but for where it is and how a zone gets its first contents.
fn configuration(dir: &Path, port: u16, zones: &[(&str, usize)]) -> String {
    let dir = dir.display();
    let zones: String = zones
        .iter()
        .map(|(zone, _)| {
            let acl = if *zone == OPEN { "open" } else { "bowline" };
            format!("  - domain: {zone}\n    acl: {acl}\n")
        })
        .collect();
    format!(
        r#"include: "{dir}/key.conf"
server:
    rundir: "{dir}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
log:
  - target: stderr
    any: warning
database:
    storage: "{dir}/state"
    journal-db-mode: robust
acl:
  - id: bowline
    address: 127.0.0.1
    key: bowline
    action: update
    update-type: [ A, AAAA ]
    update-owner: zone
    update-owner-match: sub
  - id: open
    address: 127.0.0.1
    action: update
template:
  - id: default
    storage: "{dir}"
    file: "%s.zone"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: changes
    journal-max-usage: 100M
    journal-max-depth: 1000
    serial-policy: increment
zone:
{zones}"#
    )
}
