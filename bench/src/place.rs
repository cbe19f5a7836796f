//! The directory that everything is in, and what was built for it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::Trouble;
use crate::account::Account;
use crate::process::run;

/// Below the ports that the system hands out.
const PORTS: std::ops::Range<u16> = 18_000..28_000;

/// An empty directory on a disk that others may enter.
pub(crate) struct Place {
    dir: PathBuf,
    /// Where to look for a free port next.
    port: AtomicU16,
    /// Who runs what is measured.
    pub(crate) account: Account,
}

impl Place {
    /// Puts the executable there, and the programs it is compared with.
    pub(crate) fn new(dir: &Path, bowline: &Path) -> Result<Self, Trouble> {
        // Another run at the same time looks elsewhere.
        let spread = u16::try_from(std::process::id() % 1000).unwrap_or_default() * 10;
        let place = Place {
            dir: dir.to_owned(),
            port: AtomicU16::new(PORTS.start + spread),
            account: Account::find()?,
        };
        // By a process of its own: what we had open for writing could not be run while a
        // child started meanwhile still has it.
        run(Command::new("install")
            .arg("-m755")
            .arg(bowline)
            .arg(place.path("bowline")))?;
        place.compile("nothing", &[])?;
        place.compile("hello", &[])?;
        place.compile("update", &[])?;
        place.compile("spawn", &["-static"])?;
        place.compile("responder", &["-lfcgi"])?;
        Ok(place)
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A new directory in it.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf, Trouble> {
        let path = self.path(name);
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// A new directory in it that the account may write.
    pub(crate) fn owned(&self, name: &str) -> Result<PathBuf, Trouble> {
        let path = self.directory(name)?;
        self.account.own(&path)?;
        Ok(path)
    }

    /// A port that nobody has, UDP and TCP.
    pub(crate) fn port(&self) -> Result<u16, Trouble> {
        for _ in PORTS {
            let turn = self.port.fetch_add(1, Ordering::Relaxed) - PORTS.start;
            let port = PORTS.start + turn % (PORTS.end - PORTS.start);
            let address = (Ipv4Addr::LOCALHOST, port);
            if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
                return Ok(port);
            }
        }
        Err("no free port".into())
    }

    /// Compiles a program of bench/c as a distribution would.
    fn compile(&self, name: &str, more: &[&str]) -> Result<(), Trouble> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{name}.c"));
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
        run(gcc.arg(self.path(name)).arg(source).args(more)).map(drop)
    }
}
