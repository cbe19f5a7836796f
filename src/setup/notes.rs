//! What else there is to know about a set-up: remarks of one sentence, each about one thing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::SetupError;
use super::files::{File, State, read};
use super::gateway::{Gateway, WebServer};
use super::nameserver::Program;
use super::parent::WAIT;
use super::plan::Setup;
use super::{keys, namesake, nameserver, responder};
use crate::config::{Config, LogTarget};
use crate::dns::apex::{Reply, ask};
use crate::dns::{Key, Rtype};
use crate::ip::{Policy, PublicAddress, with_article};
use crate::port::AddressPort;

/// Directories that systemd hides from the units.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

impl Setup {
    /// All that apply.
    pub(super) fn notes(&self) -> Result<Vec<String>, SetupError> {
        let notes = [
            self.dns
                .and_then(Program::acme_note)
                .filter(|_| self.zone.acme),
            self.not_served(),
            self.other_machine(),
            keys::weakness(&self.place.tsig_key())?,
            self.not_root(),
            self.issuers_later(),
            self.shared_user(),
            self.one_at_a_time(),
            self.closed_to_user(&self.executable),
            self.closed_to_user(self.place.config_dir()),
            self.hidden_executable(),
            self.front(),
            self.namesake(),
            self.proxy(),
            self.other_zones()?,
            self.no_address(),
            self.not_public(),
            self.other_port(),
            self.several_servers(),
            self.responder_log()?,
        ];
        Ok(notes.into_iter().flatten().collect())
    }

    /// The name server's copy of the key for updates, where it stays and is another key's.
    pub(super) fn other_key(&self, files: &[(File, State)]) -> Option<String> {
        let copies = self.dns?.key_copies(&self.place);
        let mut kept = files.iter().filter(|(file, state)| {
            matches!(state, State::Kept(_)) && file.path.starts_with(&copies)
        });
        kept.find_map(|(file, _)| {
            let ours = Key::read(file.content.text()?).ok()?;
            let theirs = Key::read_named(&read(&file.path).ok()??, Some(ours.name()));
            let differs = !theirs.is_ok_and(|theirs| ours.is_same(&theirs));
            differs.then(|| {
                format!(
                    "{} stays, and has not the key of {}: until it does, every update is refused",
                    file.path.display(),
                    self.place.tsig_key().display()
                )
            })
        })
    }

    fn not_root(&self) -> Option<String> {
        let note = "not root: every file belongs to you, and owners are as you are";
        (!self.owners.settable).then(|| note.to_owned())
    }

    /// A name server that was there before should answer for the zone by now.
    fn not_served(&self) -> Option<String> {
        let asks = || ask(self.update.0, &self.zone.name, Rtype::SOA, WAIT);
        let silent = self.dns.is_none() && !matches!(asks(), Reply::Data(_));
        silent.then(|| {
            format!(
                "the name server at {} does not answer for {}",
                self.update.0, self.zone.name
            )
        })
    }

    fn other_machine(&self) -> Option<String> {
        let note =
            "updates leave this machine, signed and not encrypted: prefer loopback, or a VPN";
        (!self.update.0.ip().is_loopback()).then(|| note.to_owned())
    }

    fn issuers_later(&self) -> Option<String> {
        let is_there = || nameserver::found(&self.place, &self.zone.name).is_some();
        let note = "--caa is for a zone's first records: where it has some already, add the CAA as any \
                    static record";
        (!self.zone.caa.is_empty() && is_there()).then(|| note.to_owned())
    }

    fn shared_user(&self) -> Option<String> {
        (self.gateway == Gateway::Cgi).then(|| {
            format!(
                "with CGI everything that runs as {} can read the key for updates and the registry",
                self.owners.state.user
            )
        })
    }

    fn one_at_a_time(&self) -> Option<String> {
        let by_fcgiwrap = self.gateway == Gateway::Cgi && self.web == Some(WebServer::Nginx);
        let note = "Debian's fcgiwrap runs one visit at a time, and all of them wait for a slow one: \
                    --gateway fastcgi is the better way for nginx";
        (by_fcgiwrap && !self.place.private).then(|| note.to_owned())
    }

    /// A directory above `path` that keeps the user that runs bowline from it.
    fn closed_to_user(&self, path: &Path) -> Option<String> {
        if self.web.is_none() || !self.owners.settable {
            return None;
        }
        let closed = closed_directory(path)?;
        Some(format!(
            "{} is closed to {}, who cannot run {} with {} from there",
            closed.display(),
            self.owners.state.user,
            self.executable.display(),
            self.place.config.display()
        ))
    }

    fn hidden_executable(&self) -> Option<String> {
        let is_hidden = HOMES.iter().any(|home| self.executable.starts_with(home));
        (self.place.unit_dir.is_some() && is_hidden).then(|| {
            format!(
                "the units see no home directories: put {} into /usr/local/bin and run init from there",
                self.executable.display()
            )
        })
    }

    /// What is left to do in the web server in front.
    fn front(&self) -> Option<String> {
        if self.place.private || self.http.is_some() {
            return None;
        }
        let debians = match self.web {
            Some(WebServer::Apache) => self.place.apache_dir.join("sites-enabled/000-default.conf"),
            Some(WebServer::Nginx) => self.place.nginx_dir.join("sites-enabled/default"),
            None => PathBuf::new(),
        };
        // Without Debian's own the first site is ours, or has something else to serve.
        if self.web.is_some() && fs::symlink_metadata(debians).is_err() {
            return None;
        }
        Some(match self.web {
            Some(WebServer::Apache) => {
                "a request without a Host header goes to Apache's first virtual host: \
                 where nothing else is served, `a2dissite 000-default` makes that ours"
                    .to_owned()
            }
            Some(WebServer::Nginx) => {
                "a request without a Host header goes to nginx's default server: where \
                 nothing else is served, `rm /etc/nginx/sites-enabled/default` makes that ours"
                    .to_owned()
            }
            None if self.gateway == Gateway::Cgi => {
                "your web server runs bowline as a CGI program; apache/ and nginx/ show how"
                    .to_owned()
            }
            None => format!(
                "your web server passes requests on to {}, whose group is {}",
                self.place.socket().display(),
                self.owners.web.group
            ),
        })
    }

    fn namesake(&self) -> Option<String> {
        namesake::note(
            &self.place,
            self.web?,
            self.url.host(),
            &self.site().ports(),
        )
    }

    fn proxy(&self) -> Option<String> {
        let note = "a proxy in front: name it in client.trusted_proxies, or every visit seems to come from it";
        (self.http.is_some() && self.url.is_https()).then(|| note.to_owned())
    }

    fn other_zones(&self) -> Result<Option<String>, SetupError> {
        let note = "the secondaries may fetch this zone; for each of the others run init again, with its name";
        let there = !self.secondaries.is_empty() && !self.is_only_zone()?;
        Ok(there.then(|| note.to_owned()))
    }

    fn no_address(&self) -> Option<String> {
        let note = "no public address: the parent's address records are missing below; --public ADDR adds them";
        self.public.is_empty().then(|| note.to_owned())
    }

    /// Addresses that were given and go to the parent all the same: a trial may want them.
    fn not_public(&self) -> Option<String> {
        let all = self.public.iter();
        let kinds = all.filter_map(|address| PublicAddress::new(*address, Policy::Public).err());
        let kinds =
            kinds.map(|bad| format!("{} is {} address", bad.address, with_article(bad.kind)));
        let kinds: Vec<String> = kinds.collect();
        (!kinds.is_empty()).then(|| {
            format!(
                "{}, and nobody outside reaches the name server there: --public is what the parent tells the world",
                kinds.join(", ")
            )
        })
    }

    /// A listener for the outside that the outside asks only where something forwards to it.
    fn other_port(&self) -> Option<String> {
        let is_odd = |at: &&AddressPort| !at.0.ip().is_loopback() && at.0.port() != 53;
        let odd: Vec<String> = (self.listeners.iter().filter(is_odd))
            .map(|at| at.for_knot())
            .collect();
        (!odd.is_empty()).then(|| {
            format!(
                "the world asks name servers at port 53 alone: something has to forward it to {}",
                odd.join(", ")
            )
        })
    }

    fn several_servers(&self) -> Option<String> {
        let several = self.zone.nameservers.len() > 1 && !self.public.is_empty();
        let note = "every name server is taken for this machine; one elsewhere keeps its own addresses and \
                    needs a transfer of the zone";
        several.then(|| note.to_owned())
    }

    /// Where the responder's lines are when neither systemd nor syslog takes them.
    fn responder_log(&self) -> Result<Option<String>, SetupError> {
        let Some(usual) = responder::log(&self.site()) else {
            return Ok(None);
        };
        let config = &self.place.config;
        let target = match read(config)? {
            Some(text) => Config::parse(config, &text)?.log.target,
            None => LogTarget::File(usual.clone()),
        };
        Ok(Some(match target {
            LogTarget::File(file) => {
                format!("the log is {}, as there is no syslog here", file.display())
            }
            _ => format!(
                "there is no syslog here, and what the responder logs is lost: [log] target = \"file:{}\" in {} \
                 keeps it",
                usual.display(),
                config.display()
            ),
        }))
    }

    /// Whether `bowline.toml` has no other zone.
    fn is_only_zone(&self) -> Result<bool, SetupError> {
        let Some(text) = read(&self.place.config)? else {
            return Ok(true);
        };
        let zones = Config::parse(&self.place.config, &text)?.zones;
        Ok(zones.iter().all(|zone| zone.name == self.zone.name))
    }
}

/// The first directory above `path` that is closed to others than owner and group.
fn closed_directory(path: &Path) -> Option<PathBuf> {
    let closed = |above: &&Path| {
        std::fs::metadata(above).is_ok_and(|is| is.permissions().mode() & 0o001 == 0)
    };
    path.ancestors().skip(1).find(closed).map(Path::to_owned)
}
