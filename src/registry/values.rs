//! Reading a row of the registry column by column.

use std::cell::Cell;
use std::net::IpAddr;

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::RegistryError;
use crate::ip::{Addresses, Family};
use crate::name::{RecordName, ZoneName};
use crate::time::Timestamp;

/// A row's values, one after the other: to look for each by its name takes SQLite longer
/// than to find the row.
pub(super) struct Values<'r> {
    row: &'r Row<'r>,
    next: Cell<usize>,
}

impl<'r> Values<'r> {
    /// Those of a row, from the first.
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Values {
            row,
            next: Cell::new(0),
        }
    }

    /// The next one.
    pub(super) fn next<T: FromSql>(&self) -> Result<T, RegistryError> {
        Ok(self.row.get(self.next.replace(self.next.get() + 1))?)
    }

    /// The next one as text that is not kept.
    pub(super) fn text(&self) -> Result<&'r str, RegistryError> {
        Ok(self.value()?.as_str().map_err(rusqlite::Error::from)?)
    }

    fn value(&self) -> Result<ValueRef<'r>, RegistryError> {
        Ok(self.row.get_ref(self.next.replace(self.next.get() + 1))?)
    }

    /// A time, or none.
    pub(super) fn time(&self) -> Result<Option<Timestamp>, RegistryError> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp::from_seconds))
    }

    /// Names in a zone.
    pub(super) fn names(&self, zone: &ZoneName) -> Result<Vec<RecordName>, RegistryError> {
        let text = self.text()?;
        text.split_ascii_whitespace()
            .map(|name| Ok(RecordName::parse(name, zone)?))
            .collect()
    }

    /// Two columns: the address of each family, where there is one.
    pub(super) fn addresses(&self) -> Result<Addresses, RegistryError> {
        let mut all = Addresses::NONE;
        for _ in Family::BOTH {
            let text = self.value()?.as_str_or_null();
            if let Some(text) = text.map_err(rusqlite::Error::from)? {
                let damaged = |_| RegistryError::Damaged(text.to_owned());
                all.put(text.parse::<IpAddr>().map_err(damaged)?);
            }
        }
        Ok(all)
    }
}
