//! Zones added, changed and removed after `init`: the same files, without the listeners.

use std::path::Path;

use super::configuration::{self, ZoneKeys};
use super::delegation::Delegation;
use super::error::SetupError;
use super::files::{File, State, Written, read};
use super::lock::{self, Lock};
use super::nameserver::{self, Base, Program, UPDATE};
use super::next::{self, Step};
use super::parent::{Parent, WAIT};
use super::place::Place;
use super::plan::Plan;
use super::records::{self, Record};
use super::runner::Runner;
use super::users::{Owners, usual_web_user};
use super::zone::{NewZone, check_url};
use super::{apache, cron, in_force, keys, nginx, responder, systemd};
use crate::config::{Config, Zone};
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// A set-up that is there.
#[derive(Debug)]
pub struct Standing {
    /// Its configuration.
    pub config: Config,
    /// Where its files are.
    pub place: Place,
    owners: Owners,
}

impl Standing {
    /// The set-up of a configuration file.
    ///
    /// # Errors
    /// A configuration that cannot be used.
    pub fn load(file: &Path) -> Result<Self, SetupError> {
        let config = Config::load(file)?;
        let place = Place::new(file, Some(config.state_directory().to_owned()))?;
        let user = Runner::of(&config, &place)
            .map_or_else(usual_web_user, |runner| runner.owner().user.clone());
        Ok(Standing {
            place,
            owners: Owners::new(&user).ok_or(SetupError::NoUser(user))?,
            config,
        })
    }

    /// The zone of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn zone(&self, name: &ZoneName) -> Result<&Zone, SetupError> {
        self.config
            .zone(name)
            .ok_or_else(|| SetupError::NoZone(name.clone()))
    }

    /// What the script of the first zone remembers: name servers and their addresses.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub fn first_delegation(&self) -> Result<Delegation, SetupError> {
        match self.config.zones.first() {
            Some(first) => Delegation::load(&self.place, &first.name),
            None => Ok(Delegation::default()),
        }
    }

    /// Adds a zone: its files, its table in `bowline.toml`, and what is left to do.
    ///
    /// # Errors
    /// A zone that is there, or a file that cannot be written.
    pub fn add(&self, zone: &NewZone) -> Result<Plan, SetupError> {
        let (_lock, now) = self.alone()?;
        if now.config.zone(&zone.name).is_some() {
            return Err(SetupError::ZoneThere(zone.name.clone()));
        }
        let server = now.server_for(zone);
        check_url(&now.config.url, &zone.name, server.is_some())?;
        let update = now.update(None);
        let addresses = now.first_delegation()?.addresses;
        let secondaries = now.secondaries(server)?;
        let records = match server {
            Some(_) => records::delegation(
                &zone.name,
                &zone.nameservers,
                &addresses,
                &records::ips(&secondaries),
            ),
            None => Vec::new(),
        };
        let keys = ZoneKeys {
            server: Some(update),
            ttl: zone.ttl,
            expire: zone.expire,
            acme: zone.acme.then_some(true),
        };
        let files = now.write(server, zone, update, &records, &keys)?;
        let unread = in_force::look(&now.place, &files)?;
        let mut steps = match server {
            Some(server) => server.next(&now.place, &unread, update, &zone.name)?,
            None => vec![next::right(&now.place, &zone.name, zone.acme)],
        };
        steps.extend(responder::reload(&now.place));
        if server.is_some() {
            let (name, servers) = (&zone.name, &zone.nameservers);
            steps.extend(next::parent(&now.place, name, servers, &now.config.zones));
        }
        Ok(Plan {
            files,
            records,
            next: steps,
            notes: server
                .and_then(Program::acme_note)
                .filter(|_| zone.acme)
                .into_iter()
                .chain(keys::weakness(&now.place.tsig_key())?)
                .collect(),
        })
    }

    /// Changes what was said about a zone, and gives, takes back or leaves the right to set
    /// challenges.
    ///
    /// # Errors
    /// No such zone, or a file that cannot be written.
    pub fn set(&self, name: &ZoneName, keys: ZoneKeys) -> Result<Plan, SetupError> {
        let (_lock, now) = self.alone()?;
        let update = now.update(Some(now.zone(name)?));
        let mut plan = Plan {
            files: Vec::new(),
            records: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
        };
        let server = nameserver::found(&now.place, name);
        if let (Some(server), Some(acme)) = (server, keys.acme) {
            let delegation = Delegation::load(&now.place, name)?;
            let mut zone = NewZone::new(name.clone(), delegation.nameservers, None)?;
            zone.acme = acme;
            zone.dnssec = server.is_signed(&now.place, name)?;
            plan.notes.extend(server.acme_note().filter(|_| acme));
            plan.files = now.write(Some(server), &zone, update, &[], &keys)?;
            // First contents were given once; they do not change with the rights.
            let script = server.first_contents(&now.place, name);
            plan.files.retain(|(file, _)| file.path != script);
            let unread = in_force::look(&now.place, &plan.files)?;
            plan.next = server.next(&now.place, &unread, update, name)?;
        } else {
            let mut written = Written::load(&now.place.written())?;
            now.edit(&mut written, |file, text| {
                configuration::with_zone(file, text, name, &keys)
            })?;
            plan.next.extend(keys.acme.map(|acme| match acme {
                true => next::right(&now.place, name, true),
                false => next::right_back(&now.place, name),
            }));
        }
        let reload = responder::reload(&now.place);
        match keys.acme {
            // None is set any more, and those that stand can still be removed, until the name
            // server knows of it.
            Some(false) => {
                let wait = next::challenges_over(&now.place, now.config.keep.challenges);
                plan.next.splice(0..0, reload.into_iter().chain([wait]));
            }
            Some(true) | None => plan.next.extend(reload),
        }
        if keys.ttl.is_some() {
            plan.notes
                .push("the TTL takes effect with each host's next address".to_owned());
        }
        Ok(plan)
    }

    /// The way back, in order, past the hosts that the zone still has and what its parent
    /// still says. Nothing is changed.
    ///
    /// # Errors
    /// No such zone, or files that cannot be read.
    pub fn removal(
        &self,
        name: &ZoneName,
        hosts: usize,
        parent: &Parent,
    ) -> Result<Vec<Step>, SetupError> {
        self.zone(name)?;
        let place = &self.place;
        let mut steps = Vec::new();
        if hosts > 0 {
            steps.push(Step::yours(
                format!("the registry has hosts there, {hosts} in all: `host remove` each"),
                place.bowline(&format!("host list --zone {name}")),
            ));
        }
        let server = nameserver::found(place, name);
        // Elsewhere the zone may go on without bowline.
        let gone = *parent == Parent::Gone || server.is_none();
        if !gone && self.is_signed(name)? {
            steps.push(next::without_ds(name));
        }
        if !gone {
            steps.push(Step::yours(
                "the delegation",
                format!(
                    "# take the NS of {name} out of {}, and wait for their TTL",
                    name.parent()
                ),
            ));
        }
        let last = self.config.zones.len() == 1;
        steps.extend(
            server
                .into_iter()
                .flat_map(|server| server.removal(place, name, last)),
        );
        if last {
            match &place.unit_dir {
                Some(directory) => steps.extend(systemd::removal(directory)),
                None => steps.push(cron::removal(place)),
            }
        }
        if last && !place.private {
            steps.extend(apache::removal(place));
            steps.extend(nginx::removal(place));
        }
        Ok(steps)
    }

    /// Takes the zone out of `bowline.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget(&self, name: &ZoneName) -> Result<(), SetupError> {
        let (_lock, now) = self.alone()?;
        let mut written = Written::load(&now.place.written())?;
        // The script that tells whose zone it was may be gone already.
        for server in nameserver::ALL {
            for path in server.zone_paths(&now.place, name) {
                written.forget(&path);
            }
        }
        now.edit(&mut written, |file, text| {
            configuration::without_zone(file, text, name)
        })
    }

    /// What the parent has to say about a zone: what its script remembers, or what its
    /// name server answers.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub fn delegation(&self, zone: &Zone) -> Result<Vec<Record>, SetupError> {
        let mut known = Delegation::load(&self.place, &zone.name)?;
        if known.nameservers.is_empty()
            && let Reply::Data(names) = ask(zone.server, &zone.name, Rtype::NS, WAIT)
        {
            let names = names.iter().filter_map(|name| name.data.parse().ok());
            known.nameservers = names.collect();
        }
        Ok(records::delegation(
            &zone.name,
            &known.nameservers,
            &known.addresses,
            &records::ips(&self.secondaries(nameserver::found(&self.place, &zone.name))?),
        ))
    }

    /// Whether a zone is signed by its name server: as the files say, or, where those are
    /// somebody else's, as that server says.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn is_signed(&self, zone: &ZoneName) -> Result<bool, SetupError> {
        if let Some(server) = nameserver::found(&self.place, zone) {
            return server.is_signed(&self.place, zone);
        }
        let keys = |zone: &Zone| ask(zone.server, &zone.name, Rtype::DNSKEY, WAIT);
        let said = self.config.zone(zone).map(keys);
        Ok(matches!(said, Some(Reply::Data(_))))
    }

    /// The secondaries that a name server has.
    fn secondaries(
        &self,
        server: Option<&'static dyn Program>,
    ) -> Result<Vec<AddressPort>, SetupError> {
        server.map_or(Ok(Vec::new()), |server| server.secondaries(&self.place))
    }

    /// The set-up as it is now: until the lock is dropped, nobody else changes it.
    fn alone(&self) -> Result<(Option<Lock>, Self), SetupError> {
        let lock = Lock::take(&self.place, lock::WAIT)?;
        Ok((lock, Standing::load(&self.config.file)?))
    }

    /// The name server that is to serve a new zone: that of the first zone, else the one
    /// installed. Nobody names the name servers of a zone that is served already.
    fn server_for(&self, zone: &NewZone) -> Option<&'static dyn Program> {
        let first = self.config.zones.first();
        let found = first.and_then(|first| nameserver::found(&self.place, &first.name));
        (!zone.nameservers.is_empty()).then(|| found.unwrap_or_else(nameserver::installed))
    }

    fn update(&self, zone: Option<&Zone>) -> AddressPort {
        let zone = zone.or(self.config.zones.first());
        zone.map_or(UPDATE, |zone| AddressPort(zone.server))
    }

    /// Writes the zone's files and its table.
    fn write(
        &self,
        server: Option<&'static dyn Program>,
        zone: &NewZone,
        update: AddressPort,
        parent: &[Record],
        keys: &ZoneKeys,
    ) -> Result<Vec<(File, State)>, SetupError> {
        let base = Base {
            place: &self.place,
            owners: &self.owners,
            key: &keys::tsig_key(&self.place, None)?,
            update,
            secondaries: &self.secondaries(server)?,
            public: &[],
        };
        let mut written = Written::load(&self.place.written())?;
        // All of it is made and checked before any of it is written.
        let (is, new) =
            self.edited(|file, text| configuration::with_zone(file, text, &zone.name, keys))?;
        let mut files = Vec::new();
        if let Some(server) = server {
            let wanted = server.zone_files(&base, zone, parent)?;
            let all: Vec<&File> = wanted.iter().collect();
            server.check_theirs(&self.place, &all)?;
            let first_contents = server.first_contents(&self.place, &zone.name);
            for file in wanted {
                let script = file.path == first_contents;
                files.push(match script && file.path.exists() {
                    true => (file, State::Unchanged),
                    false => written.look(file, self.owners.settable)?,
                });
            }
        }
        in_force::forget(&self.place, &self.owners, &files, &[])?;
        let mut write = || {
            for (file, state) in files.iter().filter(|(_, state)| state.replaces()) {
                written.write(file, state, self.owners.settable)?;
            }
            if new != is {
                written.edit(&self.place.config, &new)?;
            }
            Ok(())
        };
        let done = write();
        // What was written before something failed is known as ours the next time.
        written.save(&self.owners.root, self.owners.settable)?;
        done.map(|()| files)
    }

    /// Changes `bowline.toml` and remembers what was written.
    fn edit(
        &self,
        written: &mut Written,
        change: impl FnOnce(&Path, &str) -> Result<String, SetupError>,
    ) -> Result<(), SetupError> {
        let (is, new) = self.edited(change)?;
        if new != is {
            written.edit(&self.place.config, &new)?;
        }
        written.save(&self.owners.root, self.owners.settable)
    }

    /// `bowline.toml` as it is and as it would be, which can be read again.
    fn edited(
        &self,
        change: impl FnOnce(&Path, &str) -> Result<String, SetupError>,
    ) -> Result<(String, String), SetupError> {
        let file = &self.place.config;
        let text = read(file)?.unwrap_or_default();
        let new = change(file, &text)?;
        Config::parse(file, &new)?;
        Ok((text, new))
    }
}
