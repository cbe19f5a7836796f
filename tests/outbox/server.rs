//! A mail server: Debian's aiosmtpd, in the ways that `smtp.py` knows.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::site::said;
use crate::support::knot::free_port;
use crate::support::site::Site;

/// A mail server of our own.
pub(crate) struct Server {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl Server {
    pub(crate) fn start(kinds: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        certificate(dir.path());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outbox/smtp.py");
        // Debian's packages are for Debian's Python.
        let child = Command::new("/usr/bin/python3")
            .args([script, &port.to_string()])
            .arg(dir.path())
            .args(kinds)
            .spawn()
            .unwrap();
        let mut server = Server { child, port, dir };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "the mail server ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(60), "no mail server");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// From now on it fails like that; nothing: not any more.
    pub(crate) fn fails(&self, mode: &str) {
        fs::write(self.file("mode"), mode).unwrap();
    }

    /// What it has taken since it was last asked: the envelope in a line, then the mail.
    pub(crate) fn take(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
        files.sort();
        let mails = files.iter().map(|file| {
            let mail = fs::read_to_string(file).unwrap();
            fs::remove_file(file).unwrap();
            mail
        });
        mails.collect()
    }

    /// `[notify.mail]` for it.
    pub(crate) fn table(&self, scheme: &str, more: &str) -> String {
        let port = self.port;
        format!(
            "[notify.mail]\nsmtp = \"{scheme}://localhost:{port}\"\n\
             from = \"Dyn DNS <dns@example.org>\"\n{more}\n"
        )
    }

    /// A round of upkeep that trusts this server's certificate.
    pub(crate) fn upkeep(&self, site: &Site) -> [u64; 3] {
        let output = site
            .verb(&["upkeep", "--json"])
            .env("SSL_CERT_FILE", self.file("cert.pem"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        ["sent", "failed", "given_up"].map(|what| report["messages"][what].as_u64().unwrap())
    }
}

/// Puts a certificate for localhost there that nobody vouches for, and its key: `cert.pem`, `key.pem`.
pub(crate) fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext"])
        .args(["subjectAltName=DNS:localhost", "-addext"])
        .args(["basicConstraints=critical,CA:FALSE", "-keyout", "key.pem"])
        .args(["-out", "cert.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
