//! Where everything goes: beside the servers' own files, or all of it below one directory.

use std::path::{Path, PathBuf};

use super::error::SetupError;
use crate::config::DEFAULT_FILE;

/// The state directory that goes with `/etc/bowline`.
pub const DEFAULT_STATE: &str = "/var/lib/bowline";

/// Directories and files of one set-up.
#[derive(Debug, Clone)]
pub struct Place {
    /// `bowline.toml`.
    pub config: PathBuf,
    /// The registry's directory.
    pub state_dir: PathBuf,
    /// The directory of `knot.conf`.
    pub knot_dir: PathBuf,
    /// Where Knot keeps the plain-text copies of the zones.
    pub knot_storage: PathBuf,
    /// The file that a BIND of the system is started from.
    pub bind_main: PathBuf,
    /// The directory of our files for BIND.
    pub bind_dir: PathBuf,
    /// Where BIND keeps our zones, their journals and keys.
    pub bind_storage: PathBuf,
    /// The directory of `pdns.conf`.
    pub pdns_dir: PathBuf,
    /// Where PowerDNS keeps its database.
    pub pdns_storage: PathBuf,
    /// The directory of Apache's configuration.
    pub apache_dir: PathBuf,
    /// The directory of nginx's configuration.
    pub nginx_dir: PathBuf,
    /// Where cron finds files.
    pub cron_dir: PathBuf,
    /// Where systemd finds units; none for a private set-up, or where systemd does not run.
    pub unit_dir: Option<PathBuf>,
    /// Whether the servers are private ones, started from files below the configuration directory.
    pub private: bool,
}

impl Place {
    /// The place for the configuration file `config`; elsewhere than in
    /// `/etc/bowline` everything is below its directory.
    ///
    /// # Errors
    /// A path that cannot be written into the files of all servers.
    pub fn new(config: &Path, state_dir: Option<PathBuf>) -> Result<Self, SetupError> {
        let config =
            std::path::absolute(config).map_err(|error| SetupError::io("find", config, error))?;
        let dir = directory(&config);
        let private = Some(dir) != Path::new(DEFAULT_FILE).parent();
        let state_dir = match state_dir {
            Some(given) => std::path::absolute(&given)
                .map_err(|error| SetupError::io("find", &given, error))?,
            None if private => dir.join("state"),
            None => DEFAULT_STATE.into(),
        };
        check_path(&config)?;
        check_path(&state_dir)?;
        let at = |private_name: &str, shared: &str| match private {
            true => dir.join(private_name),
            false => shared.into(),
        };
        Ok(Place {
            knot_dir: at("knot", "/etc/knot"),
            knot_storage: at("knot/db", "/var/lib/knot"),
            bind_main: "/etc/bind/named.conf".into(),
            bind_dir: at("bind", "/etc/bind/bowline"),
            bind_storage: at("bind/db", "/var/lib/bind/bowline"),
            pdns_dir: at("pdns", "/etc/powerdns"),
            pdns_storage: at("pdns/db", "/var/lib/powerdns"),
            apache_dir: at("apache", "/etc/apache2"),
            nginx_dir: at("nginx", "/etc/nginx"),
            cron_dir: "/etc/cron.d".into(),
            unit_dir: (!private && has_systemd()).then(|| "/etc/systemd/system".into()),
            config,
            state_dir,
            private,
        })
    }

    /// A command line of ours that finds this configuration again.
    pub fn bowline(&self, verb: &str) -> String {
        match self.config == Path::new(DEFAULT_FILE) {
            true => format!("bowline {verb}"),
            false => format!("bowline --config {} {verb}", self.config.display()),
        }
    }

    /// The directory of `bowline.toml` and the keys.
    pub fn config_dir(&self) -> &Path {
        directory(&self.config)
    }

    /// The key under which the registry's digests are made.
    pub fn lookup_key(&self) -> PathBuf {
        self.config_dir().join("lookup.key")
    }

    /// The key that signs updates.
    pub fn tsig_key(&self) -> PathBuf {
        self.config_dir().join("tsig.key")
    }

    /// The digests of what was written, to know later what was changed since.
    pub fn written(&self) -> PathBuf {
        self.config_dir().join("written.sha256")
    }

    /// The digests of what the servers have read, to know later what they have not.
    pub fn in_force(&self) -> PathBuf {
        self.config_dir().join("in-force.sha256")
    }

    /// What is locked while any of these files is changed.
    pub fn lock(&self) -> PathBuf {
        self.config_dir().join("bowline.lock")
    }

    /// Knot's main file.
    pub fn knot_conf(&self) -> PathBuf {
        self.knot_dir.join("knot.conf")
    }

    /// The directory whose `*.conf` Knot includes.
    pub fn knot_include(&self) -> PathBuf {
        self.knot_dir.join("bowline.d")
    }

    /// Where Knot's control socket is.
    pub fn knot_socket(&self) -> PathBuf {
        if self.private {
            self.knot_dir.join("run/knot.sock")
        } else {
            "/run/knot/knot.sock".into()
        }
    }

    /// The main file of a BIND that has bowline's zones only.
    pub fn bind_conf(&self) -> PathBuf {
        self.bind_dir.join("named.conf")
    }

    /// PowerDNS's main file.
    pub fn pdns_conf(&self) -> PathBuf {
        self.pdns_dir.join("pdns.conf")
    }

    /// The directory whose settings PowerDNS reads too.
    pub fn pdns_include(&self) -> PathBuf {
        self.pdns_dir.join("pdns.d")
    }

    /// The directory of our files for PowerDNS, besides its settings.
    pub fn pdns_ours(&self) -> PathBuf {
        self.pdns_dir.join("bowline")
    }

    /// What systemd is told of PowerDNS, where there is a place for it.
    pub fn pdns_unit(&self) -> Option<PathBuf> {
        let directory = self.unit_dir.as_ref()?;
        Some(directory.join("pdns.service.d/bowline.conf"))
    }

    /// The file for cron; none for a private set-up, where systemd has a timer, or where
    /// cron has no such directory.
    pub fn cron(&self) -> Option<PathBuf> {
        let wanted = !self.private && self.unit_dir.is_none() && self.cron_dir.is_dir();
        wanted.then(|| self.cron_dir.join("bowline"))
    }

    /// The directory of the responder's socket.
    pub fn run_dir(&self) -> PathBuf {
        if self.private {
            self.config_dir().join("run")
        } else {
            "/run/bowline".into()
        }
    }

    /// Where the web server reaches the responder.
    pub fn socket(&self) -> PathBuf {
        self.run_dir().join("bowline.sock")
    }

    /// Apache's virtual hosts.
    pub fn apache_site(&self) -> PathBuf {
        if self.private {
            self.apache_dir.join("bowline.conf")
        } else {
            self.apache_dir.join("sites-available/bowline.conf")
        }
    }

    /// The main file of a private Apache.
    pub fn apache_conf(&self) -> PathBuf {
        self.apache_dir.join("apache2.conf")
    }

    /// nginx's server for plain HTTP.
    pub fn nginx_site(&self) -> PathBuf {
        if self.private {
            self.nginx_dir.join("bowline.conf")
        } else {
            self.nginx_dir.join("sites-available/bowline")
        }
    }

    /// nginx's server for https, which the other includes.
    pub fn nginx_tls(&self) -> PathBuf {
        if self.private {
            self.nginx_dir.join("bowline.tls.conf")
        } else {
            self.nginx_dir.join("sites-available/bowline-tls")
        }
    }

    /// The main file of a private nginx.
    pub fn nginx_conf(&self) -> PathBuf {
        self.nginx_dir.join("nginx.conf")
    }
}

/// Whether systemd runs this machine (sd_booted(3)).
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn directory(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

/// Every server quotes and expands in its own way: only what is plain in all of them.
///
/// # Errors
/// The first character that is not.
pub fn check_path(path: &Path) -> Result<(), SetupError> {
    let odd = path
        .to_string_lossy()
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"/._-+@,=~:".contains(*c));
    match odd {
        Some(c) => Err(SetupError::Path(path.to_owned(), c)),
        None => Ok(()),
    }
}
