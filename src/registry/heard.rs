//! When hosts were heard, and of which family: somebody who has two addresses may go on telling
//! one of them alone.

use rusqlite::Connection;

use super::wish::use_token;
use super::{Durable, Host, HostId, Registry, RegistryError};
use crate::ip::Family;
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;

/// Times are exact to this.
const GRAIN: Span = Span::from_seconds(3600);
/// In so many seconds the longest pause is forgotten, unless it comes again.
const HABIT: i64 = 30 * 24 * 3600;

/// When a host's client was last heard of each family, exact to an hour: that it has an address
/// of that family, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Of IPv4.
    pub ipv4: Option<Timestamp>,
    /// Of IPv6.
    pub ipv6: Option<Timestamp>,
}

impl Heard {
    /// When that was for one family.
    pub fn get(self, family: Family) -> Option<Timestamp> {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

impl Host {
    /// Whether its client was heard, and of each of `families`, so short a time ago that it need
    /// not be noted again.
    ///
    /// That of a host that expires, after `expire`, is noted more often, so that a living one
    /// never does.
    pub fn is_heard(
        &self,
        mut families: impl Iterator<Item = Family>,
        expire: Span,
        now: Timestamp,
    ) -> bool {
        let grain = match expire {
            Span::ZERO => GRAIN,
            expire => GRAIN.min(Span::from_seconds(expire.seconds() / 4)),
        };
        let just_now =
            |at: Option<Timestamp>| at.is_some_and(|last| now.since(last) < grain && last <= now);
        just_now(self.last_seen) && families.all(|family| just_now(self.heard.get(family)))
    }
}

impl Registry {
    /// Notes that the host's client was heard, and of which families.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn heard(
        &mut self,
        host: &Host,
        families: &[Family],
        token: &Digest,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let wanted = self.wanted;
        let tx = self.write(Durable::Soon)?;
        use_token(&tx, wanted, token, host.id, now)?;
        note_heard(&tx, host.id, families, now)?;
        Ok(tx.commit()?)
    }
}

/// The longest pause of late, given when it was heard last and the longest one before.
macro_rules! pause {
    ($last:literal, $usual:literal) => {
        concat!(
            "CASE WHEN ",
            $last,
            " IS NULL OR ?2 < ",
            $last,
            " THEN ",
            $usual,
            " WHEN ",
            $usual,
            " IS NULL THEN ?2 - ",
            $last,
            " ELSE max(?2 - ",
            $last,
            ", ",
            $usual,
            " - ",
            $usual,
            " * min(?2 - ",
            $last,
            ", ?3) / ?3) END"
        )
    };
}

/// Notes that a host's client was heard, and its longest pause of late.
pub(super) fn note_heard(
    tx: &Connection,
    host: HostId,
    families: &[Family],
    now: Timestamp,
) -> Result<(), RegistryError> {
    tx.prepare_cached(concat!(
        "UPDATE host SET usual = ",
        pause!("last_seen", "usual"),
        ", last_seen = ?2",
        ", usual_ipv4 = iif(?4, ",
        pause!("heard_ipv4", "usual_ipv4"),
        ", usual_ipv4)",
        ", heard_ipv4 = iif(?4, ?2, heard_ipv4)",
        ", usual_ipv6 = iif(?5, ",
        pause!("heard_ipv6", "usual_ipv6"),
        ", usual_ipv6)",
        ", heard_ipv6 = iif(?5, ?2, heard_ipv6) WHERE id = ?1",
    ))?
    .execute((
        host.0,
        now.seconds(),
        HABIT,
        families.contains(&Family::Ipv4),
        families.contains(&Family::Ipv6),
    ))?;
    Ok(())
}

/// Its client has not told the address that it is to have of that family.
pub(super) fn forget_heard(
    tx: &Connection,
    host: HostId,
    family: Family,
) -> Result<(), RegistryError> {
    let forget =
        format!("UPDATE host SET heard_{family} = NULL, usual_{family} = NULL WHERE id = ?1");
    tx.prepare_cached(&forget)?.execute([host.0])?;
    Ok(())
}
