//! A set-up as it was told, and the plan that follows from it.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::configuration::{self, ZoneKeys};
use super::error::SetupError;
use super::files::{Content, File, State, Written, read};
use super::nameserver::{Base, Program};
use super::next::{self, Step};
use super::records::{self, Record};
use super::users::Owners;
use super::zone::NewZone;
use super::{Place, apache, cron, keys, registry};
use crate::base_url::BaseUrl;
use crate::config::Config;
use crate::port::AddressPort;

/// Everything that `init` was told, or found.
#[derive(Debug)]
pub struct Setup {
    /// Where files go.
    pub place: Place,
    /// The first zone.
    pub zone: NewZone,
    /// In front of every token.
    pub url: BaseUrl,
    /// The name server.
    pub dns: &'static dyn Program,
    /// Where it answers the outside.
    pub listeners: Vec<AddressPort>,
    /// What the outside asks.
    pub public: Vec<IpAddr>,
    /// Other machines that serve the zone too.
    pub secondaries: Vec<AddressPort>,
    /// Where it takes updates.
    pub update: AddressPort,
    /// Whether there is an Apache to set up.
    pub apache: bool,
    /// A plain-HTTP host there instead of ports 80 and 443.
    pub http: Option<AddressPort>,
    /// What Apache runs.
    pub executable: PathBuf,
    /// Whose files they are.
    pub owners: Owners,
}

/// What would be written, entered and typed.
#[derive(Debug)]
pub struct Plan {
    /// Every file and directory, in the order of writing.
    pub files: Vec<(File, State)>,
    /// What the parent needs.
    pub records: Vec<Record>,
    /// What is still to be typed.
    pub next: Vec<Step>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

impl Setup {
    /// The plan; nothing is touched.
    ///
    /// # Errors
    /// Files that are there and cannot be read, or that contradict each other.
    pub fn plan(&self, written: &Written) -> Result<Plan, SetupError> {
        let files = self.files()?;
        let all: Vec<&File> = files.iter().collect();
        self.dns.check_theirs(&self.place, &all)?;
        let files = files
            .into_iter()
            .map(|file| written.look(file, self.owners.settable))
            .collect::<Result<Vec<_>, _>>()?;
        let mut records = self.delegation();
        if self.apache && self.http.is_none() {
            let web = records::web(&self.url, &self.zone.name, &self.public);
            let new = web.into_iter().filter(|record| !records.contains(record));
            let new: Vec<Record> = new.collect();
            records.extend(new);
        }
        Ok(Plan {
            next: self.next(&files)?,
            notes: self.notes()?,
            files,
            records,
        })
    }

    fn delegation(&self) -> Vec<Record> {
        records::delegation(&self.zone.name, &self.zone.nameservers, &self.public)
    }

    fn files(&self) -> Result<Vec<File>, SetupError> {
        let place = &self.place;
        let owners = &self.owners;
        let registry = self.registry()?;
        let lookup_key = keys::lookup_key(place, &registry)?;
        let key = keys::tsig_key(place)?;
        let file = |path: PathBuf, mode, owner: &_, content| File {
            path,
            owner: Clone::clone(owner),
            mode,
            content,
        };
        let state = |path| file(path, 0o750, &owners.state, Content::Directory);
        let mut files = vec![
            file(
                place.config_dir().to_owned(),
                0o755,
                &owners.root,
                Content::Directory,
            ),
            file(
                place.lookup_key(),
                0o640,
                &owners.user,
                Content::Secret(lookup_key),
            ),
            file(
                place.tsig_key(),
                0o640,
                &owners.user,
                Content::Secret(key.text.clone()),
            ),
            file(
                place.config.clone(),
                0o640,
                &owners.user,
                Content::Text(self.configuration(&registry)?),
            ),
            state(place.state_dir.clone()),
            state(place.state_dir.join("locks")),
            file(registry, 0o640, &owners.state, Content::Registry),
        ];
        let base = Base {
            place,
            owners,
            key: &key,
            update: self.update,
            secondaries: &self.secondaries,
            public: &self.public,
        };
        files.extend(self.dns.files(&base, &self.listeners)?);
        let zone = self.dns.zone_files(&base, &self.zone, &self.delegation())?;
        files.extend(zone);
        if self.apache {
            let site = apache::files(place, owners, &self.url, self.http, &self.executable)?;
            files.extend(site);
        }
        files.extend(cron::file(place, owners, &self.executable)?);
        Ok(files)
    }

    /// Where the registry is: as `bowline.toml` says, when there is one.
    fn registry(&self) -> Result<PathBuf, SetupError> {
        Ok(match read(&self.place.config)? {
            Some(text) => Config::parse(&self.place.config, &text)?.state.registry,
            None => self.place.state_dir.join("bowline.db"),
        })
    }

    /// Whether `bowline.toml` has no other zone.
    fn is_only_zone(&self) -> Result<bool, SetupError> {
        let Some(text) = read(&self.place.config)? else {
            return Ok(true);
        };
        let zones = Config::parse(&self.place.config, &text)?.zones;
        Ok(zones.iter().all(|zone| zone.name == self.zone.name))
    }

    /// A new `bowline.toml`, or the one there is with what was said just now.
    fn configuration(&self, registry: &Path) -> Result<String, SetupError> {
        let file = &self.place.config;
        let keys = ZoneKeys {
            server: Some(self.update),
            ttl: self.zone.ttl,
            expire: self.zone.expire,
        };
        let text = match read(file)? {
            None => configuration::new(&self.url, registry, &self.zone.name, &keys)?,
            Some(text) => {
                let text = configuration::with_url(file, &text, &self.url)?;
                configuration::with_zone(file, &text, &self.zone.name, &keys)?
            }
        };
        // Whatever is written can be read again.
        Config::parse(file, &text)?;
        Ok(text)
    }

    fn next(&self, files: &[(File, State)]) -> Result<Vec<Step>, SetupError> {
        let zone = &self.zone.name;
        let tls = self.url.is_https() && self.http.is_none();
        let mut steps = self.dns.next(&self.place, files, self.update, zone)?;
        let mut ports = Vec::new();
        if self.apache {
            steps.extend(next::apache(&self.place, files, tls));
            steps.extend(tls.then(|| next::certificate(&self.url)).flatten());
            match self.http {
                Some(address) if address.0.ip().is_loopback() => {}
                Some(address) => ports.push(address.0.port()),
                None => ports.extend(
                    [Some(80), tls.then_some(443), apache::url_port(&self.url)]
                        .into_iter()
                        .flatten(),
                ),
            }
        }
        steps.extend(cron::next(&self.place, &self.owners, &self.executable));
        steps.extend(next::firewall(&self.listeners, &ports));
        steps.extend(next::parent(&self.place, zone));
        steps.push(Step::yours(
            "the first host",
            self.place.bowline("host add home"),
        ));
        Ok(steps)
    }

    fn notes(&self) -> Result<Vec<String>, SetupError> {
        let note = self.dns.acme_note().filter(|_| self.zone.acme);
        let mut notes: Vec<String> = note.into_iter().collect();
        notes.extend(keys::weakness(&self.place.tsig_key())?);
        let mut note = |text: String| notes.push(text);
        if !self.owners.settable {
            note("not root: every file belongs to you, and owners are as you are".to_owned());
        }
        if self.apache {
            note(format!(
                "with CGI everything that runs as {} can read the key for updates and the registry",
                self.owners.state.user
            ));
        }
        let reached = [self.executable.as_path(), self.place.config_dir()];
        for closed in reached.into_iter().filter_map(closed_directory) {
            if self.apache && self.owners.settable {
                note(format!(
                    "{} is closed to {}: the web server cannot run {} with {} from there",
                    closed.display(),
                    self.owners.state.user,
                    self.executable.display(),
                    self.place.config.display()
                ));
            }
        }
        if self.apache && !self.place.private && self.http.is_none() {
            note(
                "a request without a Host header goes to Apache's first virtual host: \
                 where nothing else is served, `a2dissite 000-default` makes that ours"
                    .to_owned(),
            );
        }
        if self.http.is_some() && self.url.is_https() {
            note(
                "a proxy in front: name it in client.trusted_proxies, or every visit seems to come from it"
                    .to_owned(),
            );
        }
        if !self.secondaries.is_empty() && !self.is_only_zone()? {
            note(
                "the secondaries may fetch this zone; for each of the others run init again, with its name"
                    .to_owned(),
            );
        }
        if self.public.is_empty() {
            note(
                "no public address: the parent's address records are missing below; --public ADDR adds them"
                    .to_owned(),
            );
        }
        if self.zone.nameservers.len() > 1 && !self.public.is_empty() {
            note(
                "every name server is taken for this machine; one elsewhere keeps its own addresses and \
                 needs a transfer of the zone"
                    .to_owned(),
            );
        }
        Ok(notes)
    }
}

impl Plan {
    /// Writes every file whose state says so, and the registry.
    ///
    /// # Errors
    /// The first that cannot be written.
    pub fn write(
        &self,
        place: &Place,
        owners: &Owners,
        written: &mut Written,
    ) -> Result<(), SetupError> {
        let done = self
            .files
            .iter()
            .try_for_each(|(file, state)| written.write(file, state, owners.settable));
        // What was written before something failed is known as ours the next time; where
        // not even the directory could be made, that is what failed.
        let saved = written.save(&owners.root, owners.settable);
        done.and(saved)?;
        let new = |(file, state): &&(File, State)| {
            state.writes() && matches!(file.content, Content::Registry)
        };
        match self.files.iter().find(new) {
            Some((file, _)) => registry::make(file, place, owners),
            None => Ok(()),
        }
    }
}

/// The first directory above `path` that is closed to others than owner and group.
fn closed_directory(path: &Path) -> Option<PathBuf> {
    let closed = |above: &&Path| {
        std::fs::metadata(above).is_ok_and(|is| is.permissions().mode() & 0o001 == 0)
    };
    path.ancestors().skip(1).find(closed).map(Path::to_owned)
}
