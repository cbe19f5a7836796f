//! A certificate authority of our own: Pebble, which asks our name server.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::certificate::self_signed;
use super::support::knot::{free_port, wait_until};

/// A running authority.
pub(crate) struct Authority {
    process: Child,
    port: u16,
    directory: PathBuf,
}

impl Authority {
    /// Starts it in a directory; it resolves names at `resolver`.
    pub(crate) fn start(directory: &Path, resolver: SocketAddr) -> Self {
        fs::create_dir_all(directory).unwrap();
        let path = |name: &str| directory.join(name).display().to_string();
        self_signed(
            "localhost",
            &directory.join("key.pem"),
            &directory.join("cert.pem"),
        );
        let (port, management) = (free_port(), free_port());
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("cert.pem"),
            "privateKey": path("key.pem"),
            "httpPort": 5002,
            "tlsPort": 5001,
        }});
        fs::write(path("pebble.json"), configuration.to_string()).unwrap();
        let log = fs::File::create(path("pebble.log")).unwrap();
        let process = Command::new("pebble")
            .args(["-config", &path("pebble.json")])
            .args(["-dnsserver", &resolver.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", "0")
            // Every order is validated anew.
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let authority = Authority {
            process,
            port,
            directory: directory.to_owned(),
        };
        wait_until("pebble", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        authority
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// What it identifies itself by.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("cert.pem")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("pebble.log")).unwrap()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
