//! A host as the registry has it: settings, wish and fact.

use rusqlite::{Connection, OptionalExtension, Row};

use super::outbox::events;
use super::values::Values;
use super::{Behind, Registry, RegistryError, UNSETTLED, behind, owner};
use crate::event::Events;
use crate::ip::{Addresses, Family, Policy};
use crate::name::{HostName, RecordName, ZoneName};
use crate::owner_name::OwnerName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// A host's number; never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) i64);

impl HostId {
    /// The number.
    pub fn number(self) -> i64 {
        self.0
    }
}

impl From<HostId> for i64 {
    fn from(id: HostId) -> i64 {
        id.0
    }
}

/// One host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its number.
    pub id: HostId,
    /// Its name.
    pub name: HostName,
    /// Whether visits and records are wanted.
    pub state: State,
    /// What the operator set.
    pub settings: Settings,
    /// What was accepted last.
    pub wish: Wish,
    /// What was confirmed last.
    pub fact: Fact,
    /// Every name that may hold records of this host.
    pub held: Vec<RecordName>,
    /// When an exchange last ended without a verified answer.
    pub unconfirmed: Option<Timestamp>,
    /// Why its wish is no fact.
    pub trouble: Option<String>,
    /// Whether its owner is switched off, and so is it.
    pub owner_disabled: bool,
    /// When it was added.
    pub created: Timestamp,
    /// When its client was last heard, exact to an hour.
    pub last_seen: Option<Timestamp>,
    /// When its addresses last changed.
    pub last_change: Option<Timestamp>,
}

/// Whether a host takes visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// The operator has switched it off; its records are removed.
    Disabled,
    /// It is gone but for records that could not be removed yet.
    Removing,
}

impl State {
    /// As a column has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Disabled => "disabled",
            State::Removing => "removing",
        }
    }
}

/// What the operator set for a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// A remark.
    pub note: Option<String>,
    /// Where its person is reached.
    pub mail: Option<String>,
    /// What is told of it, on all channels; nothing: as configured.
    pub notify: Option<Events>,
    /// Its own TTL.
    pub ttl: Option<Ttl>,
    /// Its own expiry; zero: never.
    pub expire: Option<Span>,
    /// The only family it has.
    pub only: Option<Family>,
    /// Whether private addresses may be published.
    pub allow_private: bool,
    /// Whether `*.` below it follows it.
    pub wildcard: bool,
    /// Whether its token is accepted over plain HTTP.
    pub plain_http: bool,
    /// The addresses of a static host, which has no token.
    pub fixed: Option<Addresses>,
    /// Whose host it is: the owner's token is good for it too.
    pub owner: Option<OwnerName>,
    /// The host whose LAN prefix it has its IPv6 address from.
    pub behind: Option<Behind>,
}

/// Records as a host wants them: one address of each family at each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// Where: the host's name, perhaps its wildcard and former names.
    pub names: Vec<RecordName>,
    /// Which addresses; none: no records.
    pub addresses: Addresses,
    /// How long resolvers may keep them.
    pub ttl: Ttl,
}

/// What was accepted last, numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Grows with every wish; 0: there was none.
    pub number: i64,
    /// The records wanted.
    pub records: Records,
    /// When it was accepted.
    pub at: Timestamp,
}

/// What the name server confirmed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which wish that was; 0: none.
    pub number: i64,
    /// The names that have the records.
    pub names: Vec<RecordName>,
    /// The addresses they have.
    pub addresses: Addresses,
    /// The zone's serial then.
    pub serial: Option<u32>,
    /// When that was.
    pub at: Option<Timestamp>,
}

/// A name a host had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    /// The name.
    pub name: HostName,
    /// Until when it means the host.
    pub until: Timestamp,
}

impl Host {
    /// Accepted, but not yet confirmed by the name server.
    pub fn is_pending(&self) -> bool {
        self.wish.number != self.fact.number
    }

    /// Whether an UPDATE that was never answered may still be applied.
    pub fn is_unsettled(&self, now: Timestamp) -> bool {
        self.unconfirmed.is_some_and(|at| now.since(at) < UNSETTLED)
    }

    /// Whether it takes visits and has records: neither it nor its owner is switched off.
    pub fn is_on(&self) -> bool {
        self.state == State::Active && !self.owner_disabled
    }

    /// Which addresses it may have, given the zone's policy.
    pub fn policy(&self, zone: Policy) -> Policy {
        if self.settings.allow_private {
            Policy::Private
        } else {
            zone
        }
    }
}

/// A statement for what [`read`] takes, in its order. Few hosts have an owner or are behind another
/// one: to look for both here would take every visit longer than to read the host.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT zone, owner, behind, interface_id, note, mail, notify, ttl, expire, \
             only_family, allow_private, wildcard, plain_http, static, static_ipv4, static_ipv6, \
             id, name, state, wish, wish_names, wish_ipv4, wish_ipv6, wish_ttl, wish_at, \
             fact, fact_names, fact_ipv4, fact_ipv6, fact_serial, fact_at, \
             held_names, unconfirmed, trouble, created, last_seen, last_change FROM host ",
            $which
        )
    };
}

impl Registry {
    /// The host with that number.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn host_by_id(&self, id: HostId) -> Result<Option<Host>, RegistryError> {
        by_id(&self.db, id)
    }

    /// The host with that name, or with that former name while it is kept.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn host_by_name(
        &self,
        name: &HostName,
        now: Timestamp,
    ) -> Result<Option<Host>, RegistryError> {
        if let Some(host) = by_name(&self.db, name)? {
            return Ok(Some(host));
        }
        let former: Option<i64> = self
            .db
            .prepare_cached("SELECT host FROM former_name WHERE name = ?1 AND until > ?2")?
            .query_row((name.as_str(), now.seconds()), |row| row.get(0))
            .optional()?;
        former.map_or(Ok(None), |id| self.host_by_id(HostId(id)))
    }

    /// Calls `each` with every host, in the order of their names; memory stays flat. One whose
    /// row is damaged is left out: [`Registry::damaged`].
    ///
    /// # Errors
    /// When the registry cannot be read, or what `each` returns.
    pub fn each_host<E: From<RegistryError>>(
        &self,
        mut each: impl FnMut(Host) -> Result<(), E>,
    ) -> Result<(), E> {
        let read_all =
            || -> Result<_, RegistryError> { Ok(self.db.prepare(select!("ORDER BY zone, name"))?) };
        let mut statement = read_all()?;
        let mut rows = statement.query([]).map_err(RegistryError::from)?;
        while let Some(row) = rows.next().map_err(RegistryError::from)? {
            if let Some(host) = self.whole(read(&self.db, row))? {
                each(host)?;
            }
        }
        Ok(())
    }

    /// The hosts that a condition picks; one whose row is damaged must not stop the others, and
    /// is left out: [`Registry::damaged`].
    pub(super) fn whole_hosts_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Host>, RegistryError> {
        let read = |read| self.whole(read).transpose();
        let hosts = self.read_where(condition, values)?;
        hosts.into_iter().filter_map(read).collect()
    }

    /// The hosts that a condition picks.
    pub(super) fn hosts_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Host>, RegistryError> {
        self.read_where(condition, values)?.into_iter().collect()
    }

    fn read_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Result<Host, RegistryError>>, RegistryError> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{}{condition}", select!("WHERE ")))?;
        let mut rows = statement.query(values)?;
        let mut hosts = Vec::new();
        while let Some(row) = rows.next()? {
            hosts.push(read(&self.db, row));
        }
        Ok(hosts)
    }

    /// The former names of a host that still mean it.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn former_names(
        &self,
        host: &Host,
        now: Timestamp,
    ) -> Result<Vec<FormerName>, RegistryError> {
        former_names(&self.db, host, now)
    }
}

/// The host with that number, inside or outside a transaction.
pub(super) fn by_id(db: &Connection, id: HostId) -> Result<Option<Host>, RegistryError> {
    one(db, select!("WHERE id = ?1"), id.0)
}

/// The host with that very name.
pub(super) fn by_name(db: &Connection, name: &HostName) -> Result<Option<Host>, RegistryError> {
    one(db, select!("WHERE name = ?1"), name.as_str())
}

/// The former names that still mean the host.
pub(super) fn former_names(
    db: &Connection,
    host: &Host,
    now: Timestamp,
) -> Result<Vec<FormerName>, RegistryError> {
    let zone = host.name.zone();
    let mut statement = db.prepare_cached(
        "SELECT name, until FROM former_name WHERE host = ?1 AND until > ?2 ORDER BY name",
    )?;
    let mut rows = statement.query((host.id.0, now.seconds()))?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        names.push(FormerName {
            name: HostName::new(&row.get::<_, String>(0)?, &zone)?,
            until: Timestamp::from_seconds(row.get(1)?),
        });
    }
    Ok(names)
}

fn one(
    db: &Connection,
    select: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<Host>, RegistryError> {
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([value])?;
    rows.next()?.map(|row| read(db, row)).transpose()
}

/// A host, from a row of a statement that goes on: what else is read is of the same moment.
fn read(db: &Connection, row: &Row<'_>) -> Result<Host, RegistryError> {
    read_values(db, row).map_err(|error| match (error.damage(), row.get("name")) {
        (Some(what), Ok(name)) => RegistryError::DamagedHost { name, what },
        _ => error,
    })
}

fn read_values(db: &Connection, row: &Row<'_>) -> Result<Host, RegistryError> {
    let row = Values::of(row);
    let damaged = |what: &str| RegistryError::Damaged(what.to_owned());
    let zone: ZoneName = row.text()?.parse()?;
    let ttl = |seconds: u32| Ttl::new(seconds).map_err(|error| damaged(&error.to_string()));
    let owner = row.next::<Option<i64>>()?;
    let owner = owner.map(|owner| owner::by_id(db, owner)).transpose()?;
    let behind = behind::read(db, &row)?;
    let settings = Settings {
        note: row.next()?,
        mail: row.next()?,
        notify: events(row.next()?)?,
        ttl: row.next::<Option<u32>>()?.map(ttl).transpose()?,
        expire: row
            .next::<Option<u32>>()?
            .map(|seconds| Span::from_seconds(seconds.into())),
        only: match row.next::<Option<String>>()?.as_deref() {
            None => None,
            Some("ipv4") => Some(Family::Ipv4),
            Some("ipv6") => Some(Family::Ipv6),
            Some(other) => return Err(damaged(other)),
        },
        allow_private: row.next()?,
        wildcard: row.next()?,
        plain_http: row.next()?,
        fixed: match row.next()? {
            true => Some(row.addresses()?),
            false => row.addresses().map(|_| None)?,
        },
        owner: owner.as_ref().map(|owner| owner.name.clone()),
        behind,
    };
    Ok(Host {
        id: HostId(row.next()?),
        name: HostName::new(row.text()?, &zone)?,
        state: match row.text()? {
            "active" => State::Active,
            "disabled" => State::Disabled,
            "removing" => State::Removing,
            other => return Err(damaged(other)),
        },
        settings,
        wish: Wish {
            number: row.next()?,
            records: Records {
                names: row.names(&zone)?,
                addresses: row.addresses()?,
                ttl: ttl(row.next()?)?,
            },
            at: Timestamp::from_seconds(row.next()?),
        },
        fact: Fact {
            number: row.next()?,
            names: row.names(&zone)?,
            addresses: row.addresses()?,
            serial: row.next()?,
            at: row.time()?,
        },
        held: row.names(&zone)?,
        unconfirmed: row.time()?,
        trouble: row.next()?,
        owner_disabled: owner.is_some_and(|owner| owner.disabled),
        created: Timestamp::from_seconds(row.next()?),
        last_seen: row.time()?,
        last_change: row.time()?,
    })
}

/// Names as a column has them.
pub(super) fn joined(names: &[RecordName]) -> String {
    let names: Vec<String> = names.iter().map(RecordName::to_string).collect();
    names.join(" ")
}
