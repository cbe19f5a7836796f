//! The parent's side: a Knot that has `example.org` and `example.net` and is asked as a
//! resolver would be.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::support::knot::{free_port, wait_until};

/// The delegation as it should be.
pub(crate) const DELEGATION: &str = "dyn.example.org. NS ns1.example.net.\n";

/// A running server; killed when dropped.
pub(crate) struct Parent {
    _dir: tempfile::TempDir,
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Parent {
    /// One that has these records in `example.org` besides its own.
    pub(crate) fn with(records: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let at = |name: &str| dir.path().join(name);
        let (port, path) = (address.port(), dir.path().display());
        let soa = "@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 3600 600 1209600 60\n\
                   @ 3600 NS ns1.example.net.\n";
        fs::write(at("example.org.zone"), format!("{soa}{records}")).unwrap();
        fs::write(at("example.net.zone"), format!("{soa}ns1 A 127.0.0.1\n")).unwrap();
        let conf = format!(
            "server:\n  rundir: \"{path}\"\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n\
             database:\n  storage: \"{path}\"\n\
             template:\n  - id: default\n    storage: \"{path}\"\n    file: \"%s.zone\"\n    zonefile-sync: -1\n    semantic-checks: off\n\
             zone:\n  - domain: example.org\n  - domain: example.net\n"
        );
        fs::write(at("knot.conf"), conf).unwrap();
        let process = Command::new("knotd")
            .arg("-c")
            .arg(at("knot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let parent = Parent {
            _dir: dir,
            process,
            address,
        };
        wait_until("the parent", || {
            parent.answers("example.org") && parent.answers("example.net")
        });
        parent
    }

    fn answers(&self, zone: &str) -> bool {
        let port = self.address.port().to_string();
        let args = ["@127.0.0.1", "-p", &port, "+short", "+norec", zone, "SOA"];
        let output = Command::new("kdig").args(args).output().unwrap();
        output.stdout.starts_with(b"ns1")
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
