//! Hosts as rows: which ones are looked for, and how each is read.

use rusqlite::{Connection, OptionalExtension, Row};

use super::account::networks;
use super::outbox::events;
use super::values::Values;
use super::{
    Fact, FormerName, Heard, Host, HostId, Records, Registry, RegistryError, Settings, State, Wish,
    behind, owner,
};
use crate::ip::Family;
use crate::name::{HostName, RecordName, ZoneName};
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// So many hosts are read at a time where all are.
const PART: u16 = 500;

/// A statement for what [`read`] takes, in its order. Few hosts have an owner or are behind another
/// one: to look for both here would take every visit longer than to read the host.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT zone, owner, behind, interface_id, note, mail, notify, ttl, expire, \
             only_family, allow_private, wildcard, plain_http, static, static_ipv4, static_ipv6, \
             id, name, state, wish, wish_names, wish_ipv4, wish_ipv6, wish_ttl, wish_at, \
             fact, fact_names, fact_ipv4, fact_ipv6, fact_serial, fact_at, \
             held_names, unconfirmed, trouble, differs, created, last_seen, heard_ipv4, heard_ipv6, \
             last_change, networks FROM host ",
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
        by_any_name(&self.db, name, now)
    }

    /// Calls `each` with every host, in the order of their names; memory stays flat. One whose
    /// row is damaged is left out: [`Registry::nothing_left_out`].
    ///
    /// They are read a part at a time, so that nothing is being read while `each` waits, as for
    /// somebody with a pager: the log could not be written back meanwhile, however long it grew.
    ///
    /// # Errors
    /// When the registry cannot be read, or what `each` returns.
    pub fn each_host<E: From<RegistryError>>(
        &self,
        mut each: impl FnMut(Host) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last = (String::new(), String::new());
        loop {
            let part = self.hosts_after(&mut last)?;
            let is_last = part.len() < usize::from(PART);
            for host in part {
                if let Some(host) = self.whole(host)? {
                    each(host)?;
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The next hosts after the `last` one, by zone and name, which then is the last of these.
    fn hosts_after(
        &self,
        last: &mut (String, String),
    ) -> Result<Vec<Result<Host, RegistryError>>, RegistryError> {
        let after = select!("WHERE (zone, name) > (?1, ?2) ORDER BY zone, name LIMIT ?3");
        let mut statement = self.db.prepare_cached(after)?;
        let mut rows = statement.query((&last.0, &last.1, PART))?;
        let mut hosts = Vec::new();
        while let Some(row) = rows.next()? {
            *last = (row.get("zone")?, row.get("name")?);
            hosts.push(read(&self.db, row));
        }
        Ok(hosts)
    }

    /// The hosts that a condition picks; one whose row is damaged must not stop the others, and
    /// is left out: [`Registry::nothing_left_out`].
    pub(super) fn whole_hosts_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Host>, RegistryError> {
        let read = |read| self.whole(read).transpose();
        let hosts = self.read_where(condition, values)?;
        hosts.into_iter().filter_map(read).collect()
    }

    /// Those of some hosts that are there and whole, in that order.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn whole_hosts(&self, ids: &[HostId]) -> Result<Vec<Host>, RegistryError> {
        let mut hosts = Vec::with_capacity(ids.len());
        for id in ids {
            hosts.extend(self.whole_hosts_where("id = ?1", [id.0])?);
        }
        Ok(hosts)
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

/// The host with that name, or with that former name while it is kept.
pub(super) fn by_any_name(
    db: &Connection,
    name: &HostName,
    now: Timestamp,
) -> Result<Option<Host>, RegistryError> {
    if let Some(host) = by_name(db, name)? {
        return Ok(Some(host));
    }
    let former: Option<i64> = db
        .prepare_cached("SELECT host FROM former_name WHERE name = ?1 AND until > ?2")?
        .query_row((name.as_str(), now.seconds()), |row| row.get(0))
        .optional()?;
    former.map_or(Ok(None), |id| by_id(db, HostId(id)))
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
        differs: row.next()?,
        owner_disabled: owner.is_some_and(|owner| owner.disabled),
        created: Timestamp::from_seconds(row.next()?),
        last_seen: row.time()?,
        heard: Heard {
            ipv4: row.time()?,
            ipv6: row.time()?,
        },
        last_change: row.time()?,
        networks: networks(row.next()?)?,
    })
}

/// Names as a column has them.
pub(super) fn joined(names: &[RecordName]) -> String {
    let names: Vec<String> = names.iter().map(RecordName::to_string).collect();
    names.join(" ")
}
