//! What verbs about hosts work with: the configuration, the open registry, one moment.

use super::{Context, Failure};
use crate::config::{Config, Zone};
use crate::name::{HostName, ZoneName};
use crate::owner_name::OwnerName;
use crate::registry::{FormerName, Host, Owner, Registry, RegistryError};
use crate::time::Timestamp;
use crate::token::LookupKey;

/// An open registry and the configuration it belongs to.
pub(super) struct Session {
    pub(super) config: Config,
    pub(super) registry: Registry,
    /// When the verb began.
    pub(super) now: Timestamp,
}

impl Session {
    /// Reads the configuration and opens the registry.
    pub(super) fn open(context: &Context<'_>) -> Result<Self, Failure> {
        let config = load(context)?;
        let registry = open_registry(&config)?;
        Ok(Session {
            config,
            registry,
            now: Timestamp::now(),
        })
    }

    /// The configured zone a host is in.
    pub(super) fn zone(&self, name: &HostName) -> Result<&Zone, Failure> {
        let zone = name.zone();
        self.config.zone(&zone).ok_or_else(|| {
            Failure::new(format!("the zone of {name} is not in the configuration"))
                .hint(format!("run `bowline zone add {zone}` first"))
        })
    }

    /// The owner of that name.
    pub(super) fn owner(&self, name: &OwnerName) -> Result<Owner, Failure> {
        self.registry.owner(name).map_err(|error| match error {
            RegistryError::NoOwner(_) => {
                Failure::new(error).hint("`bowline owner list` shows the owners there are")
            }
            error => error.into(),
        })
    }

    /// The host that a name in full, or an unambiguous short one, means.
    pub(super) fn host(&self, text: &str) -> Result<Host, Failure> {
        let mut found: Vec<Host> = Vec::new();
        if let Some(name) = in_full(text)
            && let Some(host) = self.registry.host_by_name(&name, self.now)?
        {
            return Ok(host);
        }
        for name in meanings(text, None, &self.config)? {
            if let Some(host) = self.registry.host_by_name(&name, self.now)? {
                found.push(host);
            }
        }
        match found.pop() {
            Some(host) if found.is_empty() => Ok(host),
            None => Err(Failure::from(RegistryError::NoHost(text.to_owned()))
                .hint("`bowline host list` shows the hosts there are")),
            Some(last) => {
                found.push(last);
                let names = found.iter().map(|host| host.name.as_str());
                Err(ambiguous(text, names).hint("write the name in full"))
            }
        }
    }

    /// The former name by which [`Session::host`] has found a host, where it is one.
    pub(super) fn former_name(
        &self,
        text: &str,
        host: &Host,
    ) -> Result<Option<FormerName>, Failure> {
        let names = self.possible_names(text);
        // One in full does not know where its zone begins.
        let is_meant = |name: &HostName| names.iter().any(|one| one.as_str() == name.as_str());
        if is_meant(&host.name) {
            return Ok(None);
        }
        let mut former = self.registry.former_names(host, self.now)?.into_iter();
        Ok(former.find(|former| is_meant(&former.name)))
    }

    /// Every name that a person may mean.
    fn possible_names(&self, text: &str) -> Vec<HostName> {
        let short = meanings(text, None, &self.config).unwrap_or_default();
        in_full(text).into_iter().chain(short).collect()
    }

    /// The name of a host as a person writes it, where its row in the registry is damaged.
    pub(super) fn damaged_host(&self, text: &str) -> Option<HostName> {
        let mut names = self.possible_names(text).into_iter();
        names.find(|name| {
            let found = self.registry.host_by_name(name, self.now);
            // Not its former name, under which there is nothing to remove.
            matches!(found, Err(RegistryError::DamagedHost { name: own, .. }) if own == name.as_str())
        })
    }
}

/// Reads the configuration.
pub(super) fn load(context: &Context<'_>) -> Result<Config, Failure> {
    Config::load(&context.config).map_err(|error| {
        let failure = Failure::from(error);
        match context.config.try_exists() {
            Ok(false) => failure.hint("run `bowline init`, or name another file with --config"),
            _ => failure,
        }
    })
}

/// Opens the registry, when neither it nor its directory is a link.
pub(super) fn open_registry(config: &Config) -> Result<Registry, Failure> {
    let file = &config.state.registry;
    for path in [config.state_directory(), file] {
        if path.is_symlink() {
            return Err(Failure::new(format!("{} is a link", path.display()))
                .hint("name what it leads to in [state] registry"));
        }
    }
    let key = LookupKey::load(&config.state.lookup_key)?;
    Ok(Registry::open(file, key)?.tell(config.notify.wanted()))
}

/// The one name that a new host called `text` would have; `clearer` is the hint where it could
/// be one of several.
pub(super) fn new_name(
    text: &str,
    zone: Option<&ZoneName>,
    config: &Config,
    clearer: &str,
) -> Result<HostName, Failure> {
    let mut names = meanings(text, zone, config)?;
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => in_its_zone(name, config),
        (Some(name), false) => {
            names.push(name);
            Err(ambiguous(text, names.iter().map(HostName::as_str)).hint(clearer))
        }
        (None, _) => {
            Err(Failure::new("no zone is configured").hint("add one with `bowline zone add ZONE`"))
        }
    }
}

/// The name, where no deeper zone has it: nobody would see its records.
fn in_its_zone(name: HostName, config: &Config) -> Result<HostName, Failure> {
    let Some(deeper) = config.deeper_zone(&name) else {
        return Ok(name);
    };
    let there = HostName::new(name.as_str(), &deeper.name)?;
    let (zone, deeper) = (name.zone(), &deeper.name);
    Err(
        Failure::new(format!("{there} is in the zone {deeper}, not in {zone}"))
            .hint("write the name in full, and no zone beside it"),
    )
}

/// What to note of a new host whose short name may have been meant as a full one.
pub(super) fn full_name(text: &str, name: &HostName) -> Option<String> {
    let ascii = idna::domain_to_ascii(text).unwrap_or_default();
    let ascii = ascii.trim_end_matches('.');
    let is_doubtful = ascii.contains('.') && ascii != name.as_str();
    is_doubtful.then(|| format!("its name in full is {}", name.for_people()))
}

/// The name that `text` is when it is one in full, whatever zones are configured; for
/// looking it up only, as it does not know where its zone begins.
fn in_full(text: &str) -> Option<HostName> {
    let ascii = idna::domain_to_ascii(text).ok()?;
    let (_, zone) = ascii.split_once('.')?;
    // So that two labels are enough.
    let zone = match zone.trim_end_matches('.').contains('.') {
        true => zone.parse().ok()?,
        false => return None,
    };
    HostName::new(&ascii, &zone).ok()
}

/// Every host name that `text` may mean: one in full, else one in each zone.
fn meanings(
    text: &str,
    zone: Option<&ZoneName>,
    config: &Config,
) -> Result<Vec<HostName>, Failure> {
    let ascii = idna::domain_to_ascii(text).unwrap_or_else(|_| text.to_owned());
    let bare = ascii.strip_suffix('.').unwrap_or(&ascii);
    // A final dot says that it is in full (RFC 1034 3.1): then it is never one below a zone.
    let is_full = ascii.ends_with('.');
    let apex = config.zones.iter().find(|zone| zone.name.as_str() == bare);
    let its = apex.or_else(|| config.zone_of(bare));
    if let Some(zone) = zone {
        let zone = config.zone(zone).ok_or_else(|| no_zone(zone.as_str()))?;
        let is_elsewhere = bare != zone.name.as_str() && zone.name.relative(bare).is_none();
        if is_elsewhere && (is_full || its.is_some()) {
            return Err(match its {
                Some(_) => Failure::new(format!("{text:?} is not in the zone {}", zone.name)),
                None => no_zone(text),
            });
        }
        return Ok(vec![HostName::new(text, &zone.name)?]);
    }
    match its {
        Some(zone) => Ok(vec![HostName::new(text, &zone.name)?]),
        None if is_full => Err(no_zone(text)),
        None => {
            let names = config.zones.iter();
            Ok(names
                .map(|zone| HostName::new(text, &zone.name))
                .collect::<Result<_, _>>()?)
        }
    }
}

/// A name that could be any of those.
fn ambiguous<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let names: Vec<&str> = names.collect();
    Failure::new(format!("{text:?} could be {}", names.join(" or ")))
}

/// A name that no configured zone has room for.
fn no_zone(text: &str) -> Failure {
    Failure::new(format!("{text:?} is in no configured zone"))
        .hint("`bowline zone list` shows the zones there are")
}
