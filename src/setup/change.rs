//! Zones added, changed and removed after `init`: the same files, without the listeners.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::configuration::{self, ZoneKeys};
use super::delegation::Delegation;
use super::error::SetupError;
use super::files::{File, State, Written, read};
use super::next::{self, Step};
use super::parent::{Parent, WAIT};
use super::place::Place;
use super::plan::{Plan, acme_note};
use super::records::{self, Record};
use super::users::{Owners, user_name};
use super::zone::{NewZone, check_url};
use super::{apache, cron, keys, knot, nginx, responder, systemd, theirs};
use crate::config::{Config, Zone};
use crate::dns::plain::{Kind, Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// Where updates go when no zone says so.
const UPDATE: &str = "127.0.0.1:5353";

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
        let state_dir = config.state_directory();
        let user = std::fs::metadata(state_dir)
            .map_or_else(|_| "www-data".to_owned(), |is| user_name(is.uid()));
        Ok(Standing {
            place: Place::new(file, Some(state_dir.to_owned()))?,
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
        if self.config.zone(&zone.name).is_some() {
            return Err(SetupError::ZoneThere(zone.name.clone()));
        }
        check_url(&self.config.url, &zone.name)?;
        let update = self.update(None)?;
        let addresses = self.first_delegation()?.addresses;
        let records = records::delegation(&zone.name, &zone.nameservers, &addresses);
        let keys = ZoneKeys {
            server: Some(update),
            ttl: zone.ttl,
            expire: zone.expire,
        };
        let files = self.write(zone, update, &records, &keys)?;
        let mut steps = next::knot(&self.place, &files, update, &zone.name)?;
        steps.extend(responder::reload(&self.place));
        steps.extend(next::parent(&self.place, &zone.name));
        Ok(Plan {
            files,
            records,
            next: steps,
            notes: acme_note(zone.acme)
                .into_iter()
                .chain(keys::weakness(&self.place.tsig_key())?)
                .collect(),
        })
    }

    /// Changes what was said about a zone, and gives or leaves the right to set challenges.
    ///
    /// # Errors
    /// No such zone, or a file that cannot be written.
    pub fn set(&self, name: &ZoneName, keys: ZoneKeys, acme: bool) -> Result<Plan, SetupError> {
        let update = self.update(Some(self.zone(name)?))?;
        let mut plan = Plan {
            files: Vec::new(),
            records: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
        };
        if !acme {
            let mut written = Written::load(&self.place.written())?;
            self.edit(&mut written, |file, text| {
                configuration::with_zone(file, text, name, &keys)
            })?;
        } else {
            let delegation = Delegation::load(&self.place, name)?;
            let mut zone = NewZone::new(name.clone(), delegation.nameservers, None)?;
            zone.acme = true;
            zone.dnssec = knot::is_signed(&self.place, name)?;
            plan.notes = acme_note(true);
            plan.files = self.write(&zone, update, &[], &keys)?;
            // First contents were given once; they do not change with the rights.
            let script = self.place.first_contents(name);
            plan.files.retain(|(file, _)| file.path != script);
            plan.next = next::knot(&self.place, &plan.files, update, name)?;
        }
        plan.next.extend(responder::reload(&self.place));
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
                format!("the registry has hosts there, {hosts} in all: `bowline host remove` each"),
                place.bowline(&format!("host list --zone {name}")),
            ));
        }
        let gone = *parent == Parent::Gone;
        if !gone && knot::is_signed(place, name)? {
            steps.push(Step::yours(
                "first, or the zone is bogus meanwhile",
                format!(
                    "# take the DS of {name} out of {}, and wait for its TTL",
                    name.parent()
                ),
            ));
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
        let mut files = vec![place.knot_zone(name), place.first_contents(name)];
        if last {
            let common = ["00-key.conf", "10-bowline.conf", "20-acme.conf"];
            files.extend(common.map(|file| place.knot_include().join(file)));
        }
        let files: Vec<String> = files
            .iter()
            .filter(|file| file.exists())
            .map(|file| file.display().to_string())
            .collect();
        if !files.is_empty() {
            steps.push(Step::here(
                "Knot's files",
                format!("rm -f {}", files.join(" ")),
            ));
        }
        let conf = place.knot_conf();
        let conf = conf.display();
        steps.push(Step::here(
            "the rest is valid",
            format!("knotc -c {conf} conf-check"),
        ));
        if place.knot_socket().exists() {
            steps.push(Step::here("Knot forgets the zone", next::reload(place)));
            steps.push(Step::yours(
                "its journal and keys, for good",
                format!("knotc -c {conf} -f zone-purge +orphan {name}"),
            ));
        }
        if last {
            match &place.unit_dir {
                Some(directory) => steps.extend(systemd::removal(directory)),
                None => steps.push(cron::removal(place)),
            }
        }
        if last && !place.private {
            let line = format!("{}/*.conf", place.knot_include().display());
            steps.push(Step::yours(
                "the include line",
                format!("# take \"{line}\" out of {conf}"),
            ));
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
        let mut written = Written::load(&self.place.written())?;
        written.forget(&self.place.knot_zone(name));
        written.forget(&self.place.first_contents(name));
        self.edit(&mut written, |file, text| {
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
            && let Reply::Data(names) = ask(zone.server, &zone.name, Kind::Ns, WAIT)
        {
            let names = names
                .iter()
                .filter_map(|name| super::zone::NameServer::new(name).ok());
            known.nameservers = names.collect();
        }
        Ok(records::delegation(
            &zone.name,
            &known.nameservers,
            &known.addresses,
        ))
    }

    fn update(&self, zone: Option<&Zone>) -> Result<AddressPort, SetupError> {
        match zone.or(self.config.zones.first()) {
            Some(zone) => Ok(AddressPort(zone.server)),
            None => UPDATE
                .parse()
                .map_err(|error| SetupError::Value(format!("{error}"))),
        }
    }

    /// Writes the zone's files and its table.
    fn write(
        &self,
        zone: &NewZone,
        update: AddressPort,
        parent: &[Record],
        keys: &ZoneKeys,
    ) -> Result<Vec<(File, State)>, SetupError> {
        let (key_name, _) = keys::tsig_key(&self.place)?;
        let mut written = Written::load(&self.place.written())?;
        // All of it is made and checked before any of it is written.
        let (is, new) =
            self.edited(|file, text| configuration::with_zone(file, text, &zone.name, keys))?;
        let mut files = Vec::new();
        let wanted = knot::zone_files(&self.place, &self.owners, &key_name, update, zone, parent)?;
        theirs::check(&self.place, wanted.iter())?;
        for file in wanted {
            let script = file.path == self.place.first_contents(&zone.name);
            files.push(match script && file.path.exists() {
                true => (file, State::Unchanged),
                false => written.look(file, self.owners.settable)?,
            });
        }
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
