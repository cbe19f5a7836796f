//! A set-up as it was told, and the plan that follows from it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::configuration::{self, ZoneKeys};
use super::error::SetupError;
use super::files::{Content, File, State, Written, read};
use super::gateway::{Gateway, WebServer};
use super::lock::{self, Lock};
use super::nameserver::{self, Base, Program};
use super::next::{self, Step};
use super::records::{self, Record};
use super::site::Site;
use super::users::Owners;
use super::zone::NewZone;
use super::{
    Place, cron, handover, in_force, keys, parent, registry, responder, state_directory, systemd,
};
use crate::base_url::BaseUrl;
use crate::config::Config;
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
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
    /// The name server to set up; none: one that is there already serves the zone.
    pub dns: Option<&'static dyn Program>,
    /// Where it answers the outside.
    pub listeners: Vec<AddressPort>,
    /// What the outside asks.
    pub public: Vec<IpAddr>,
    /// Other machines that serve the zone too, where any were named.
    pub secondaries: Vec<AddressPort>,
    /// Where it takes updates.
    pub update: AddressPort,
    /// The text of the key for updates, where there is one already.
    pub key: Option<String>,
    /// The web server to set up.
    pub web: Option<WebServer>,
    /// How it runs bowline.
    pub gateway: Gateway,
    /// A plain-HTTP host there instead of ports 80 and 443.
    pub http: Option<AddressPort>,
    /// What is run.
    pub executable: PathBuf,
    /// Whose files they are.
    pub owners: Owners,
    /// The verb and options that say all this.
    pub typed: String,
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
        if let Some(web) = self.web {
            self.site().check(web)?;
        }
        let files = self.files(written)?;
        let all: Vec<&File> = files.iter().collect();
        if let Some(dns) = self.dns {
            dns.check_theirs(&self.place, &all)?;
        }
        let files = files
            .into_iter()
            .map(|file| {
                let looked = written.look(file, self.owners.settable)?;
                Ok(registry::look(looked, &self.owners))
            })
            .collect::<Result<Vec<_>, SetupError>>()?;
        let mut records = self.delegation()?;
        if self.web.is_some() && self.http.is_none() {
            let web = records::web(&self.url, &self.zone.name, &self.public);
            let new = web.into_iter().filter(|record| !records.contains(record));
            let new: Vec<Record> = new.collect();
            records.extend(new);
        }
        Ok(Plan {
            next: self.next(&files)?,
            notes: self
                .other_key(&files)
                .into_iter()
                .chain(self.notes()?)
                .collect(),
            files,
            records,
        })
    }

    /// Whether the zone is to be signed no more: it is, as its files say or its name server.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn ends_signing(&self) -> Result<bool, SetupError> {
        let zone = &self.zone.name;
        let Some(server) = nameserver::found(&self.place, zone).filter(|_| !self.zone.dnssec)
        else {
            return Ok(false);
        };
        let keys = ask(self.update.0, zone, Rtype::DNSKEY, parent::WAIT);
        Ok(server.is_signed(&self.place, zone)? || matches!(keys, Reply::Data(_)))
    }

    /// Has a `bowline.toml` that somebody has changed, and whose it stays, say what was typed all
    /// the same; who reads it reads it again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, plan: &mut Plan, written: &mut Written) -> Result<(), SetupError> {
        let file = &self.place.config;
        let text = read(file)?.unwrap_or_default();
        let new = self.with_command(&text)?;
        if new != text {
            written.edit(file, &new)?;
            plan.next.extend(responder::reload(&self.place));
        }
        Ok(())
    }

    /// Forgets files that are gone and that neither this plan nor one for another zone writes, as
    /// those of the name server that had the zone before: nobody is to miss them.
    ///
    /// # Errors
    /// When `bowline.toml` cannot be read.
    pub fn forget_gone(&self, plan: &Plan, written: &mut Written) -> Result<(), SetupError> {
        let mut known: BTreeSet<PathBuf> =
            plan.files.iter().map(|(it, _)| it.path.clone()).collect();
        if let Some(text) = read(&self.place.config)? {
            let zones = Config::parse(&self.place.config, &text)?.zones;
            for zone in zones.iter().filter(|zone| zone.name != self.zone.name) {
                let paths = |one: &&dyn Program| one.zone_paths(&self.place, &zone.name);
                known.extend(nameserver::ALL.iter().flat_map(paths));
            }
        }
        written.keep(|path| known.contains(path) || path.try_exists().unwrap_or(true));
        Ok(())
    }

    pub(super) fn site(&self) -> Site<'_> {
        Site {
            place: &self.place,
            owners: &self.owners,
            url: &self.url,
            http: self.http,
            gateway: self.gateway,
            executable: &self.executable,
        }
    }

    /// The secondaries that were named, else those that are set up.
    fn all_secondaries(&self) -> Result<Vec<AddressPort>, SetupError> {
        match self.secondaries.as_slice() {
            [] => self
                .dns
                .map_or(Ok(Vec::new()), |dns| dns.secondaries(&self.place)),
            named => Ok(named.to_vec()),
        }
    }

    fn delegation(&self) -> Result<Vec<Record>, SetupError> {
        if self.dns.is_none() {
            // Whoever serves the zone has seen to that.
            return Ok(Vec::new());
        }
        Ok(records::delegation(
            &self.zone.name,
            &self.zone.nameservers,
            &self.public,
            &records::ips(&self.all_secondaries()?),
        ))
    }

    fn files(&self, written: &Written) -> Result<Vec<File>, SetupError> {
        let place = &self.place;
        let owners = &self.owners;
        let registry = self.registry()?;
        let lookup_key = keys::lookup_key(place, &registry)?;
        let key = keys::tsig_key(place, self.key.as_deref())?;
        let state = |path| File::directory(path, 0o750, &owners.state);
        let secret = |path, text| File::secret(path, 0o640, &owners.user, text);
        let configuration = self.configuration(&registry, written)?;
        // Whatever is written can be read again.
        let config = Config::parse(&place.config, &configuration)?;
        state_directory::check(place, owners, &config)?;
        let mut files = vec![
            File::directory(place.config_dir().to_owned(), 0o755, &owners.root),
            secret(place.lookup_key(), lookup_key),
            secret(place.tsig_key(), key.text.clone()),
            File::text(place.config.clone(), 0o640, &owners.user, configuration),
            state(place.state_dir.clone()),
            state(place.state_dir.join("locks")),
            File {
                content: Content::Registry,
                ..File::text(registry, 0o640, &owners.state, String::new())
            },
        ];
        let base = Base {
            place,
            owners,
            key: &key,
            update: self.update,
            secondaries: &self.all_secondaries()?,
            public: &self.public,
        };
        if let Some(dns) = self.dns {
            files.extend(dns.files(&base, &self.listeners)?);
            files.extend(dns.zone_files(&base, &self.zone, &self.delegation()?)?);
        }
        let site = self.site();
        files.extend(responder::directory(&site, self.web));
        if let Some(web) = self.web {
            files.extend(site.files(web)?);
        }
        files.extend(systemd::files(&site)?);
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

    /// A new `bowline.toml`, or the one there is with what was said just now.
    fn configuration(&self, registry: &Path, written: &Written) -> Result<String, SetupError> {
        let file = &self.place.config;
        let keys = ZoneKeys {
            server: Some(self.update),
            ttl: self.zone.ttl,
            expire: self.zone.expire,
            acme: self.zone.acme.then_some(true),
        };
        let there = read(file)?;
        let is_ours = (there.as_ref()).is_none_or(|text| written.is_ours(file, text));
        let text = match there {
            None => {
                let log = responder::log(&self.site());
                configuration::new(&self.url, registry, &self.zone.name, &keys, log.as_deref())?
            }
            Some(text) => {
                let mut edited = configuration::with_url(file, &text, &self.url)?;
                let moved = ZoneKeys {
                    server: keys.server,
                    ..ZoneKeys::default()
                };
                for zone in self.neighbours(&text)? {
                    edited = configuration::with_zone(file, &edited, &zone, &moved)?;
                }
                configuration::with_zone(file, &edited, &self.zone.name, &keys)?
            }
        };
        match is_ours {
            true => self.with_command(&text),
            false => Ok(text),
        }
    }

    /// That `bowline.toml` with what was typed.
    fn with_command(&self, text: &str) -> Result<String, SetupError> {
        let command = self.place.bowline(&self.typed);
        configuration::with_command(&self.place.config, text, &self.zone.name, &command)
    }

    /// The zones of that `bowline.toml` that the same name server was set up for: it takes the
    /// updates of all at one address.
    fn neighbours(&self, text: &str) -> Result<Vec<ZoneName>, SetupError> {
        let zones = Config::parse(&self.place.config, text)?.zones.into_iter();
        let ours = self.dns.map(Program::name);
        let server = |zone: &ZoneName| nameserver::found(&self.place, zone).map(Program::name);
        let zones = zones.map(|zone| zone.name);
        Ok(zones
            .filter(|zone| ours.is_some() && server(zone) == ours)
            .collect())
    }

    fn next(&self, files: &[(File, State)]) -> Result<Vec<Step>, SetupError> {
        let zone = &self.zone.name;
        let site = self.site();
        let handover = handover::steps(&self.place, &self.owners, files);
        let files = &in_force::look(&self.place, files)?;
        let mut steps = match self.dns {
            Some(dns) => dns.next(&self.place, files, self.update, zone)?,
            None => vec![next::right(&self.place, zone, self.zone.acme)],
        };
        let service = self.dns.map(Program::service);
        steps.extend(service.and_then(|service| systemd::enable(&self.place, service)));
        steps.extend(handover);
        let config =
            |(file, state): &(File, State)| file.path == self.place.config && state.writes();
        if files.iter().any(config) {
            steps.extend(responder::reload(&self.place));
        }
        steps.extend(responder::start(&site));
        steps.extend(systemd::steps(&site, files));
        let mut ports = Vec::new();
        if let Some(web) = self.web {
            steps.extend(site.steps(web, files));
            ports = site.open_ports();
        }
        steps.extend(handover::rest(&self.place, &self.owners));
        steps.extend(cron::next(&self.place, &self.owners, &self.executable));
        steps.extend(next::firewall(&self.listeners, &ports));
        if self.dns.is_some() {
            // It is the first zone: none above it is ours yet.
            steps.extend(next::parent(&self.place, zone, &[], &[]));
        }
        steps.push(Step::yours(
            "the first host",
            self.place.bowline("host add home"),
        ));
        Ok(steps)
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
        in_force::forget(place, owners, &self.files, &self.next)?;
        let is_first =
            |(file, state): &&(File, State)| file.path == place.config_dir() && state.writes();
        // Until there is this directory, nothing could be locked. Who has locked it since has
        // another plan, and ours is not worth waiting.
        let _lock = match self.files.iter().find(is_first) {
            Some((file, state)) => {
                written.write(file, state, owners.settable)?;
                Lock::take(place, Duration::ZERO)?
            }
            None => None,
        };
        let mut others = self.files.iter().filter(|entry| !is_first(entry));
        let done = others.try_for_each(|(file, state)| written.write(file, state, owners.settable));
        // What was written before something failed is known as ours the next time; where
        // not even the directory could be made, that is what failed.
        let saved = written.save(&owners.root, owners.settable);
        done.and(saved)?;
        let is_registry = |(file, _): &&(File, State)| matches!(file.content, Content::Registry);
        match self.files.iter().find(is_registry) {
            Some((file, State::New)) => registry::make(file, place, owners),
            Some((file, State::Reset(_))) => registry::give_back(&file.path, &file.owner)
                .map_err(|error| SetupError::io("give back", &file.path, error)),
            _ => Ok(()),
        }
    }

    /// Notes what a server has read with a step that is done.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn done(&self, step: &Step, place: &Place, owners: &Owners) -> Result<(), SetupError> {
        let _lock = Lock::take(place, lock::WAIT)?;
        in_force::remember(place, owners, &self.files, step)
    }
}
