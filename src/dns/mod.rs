//! The wire to the name server and nothing else: one UPDATE as a compare-and-swap
//! (RFC 2136), signed and verified (TSIG, RFC 8945), and signed questions to see what
//! stands there. Challenges for certificates come and go by value, without a comparison.
//!
//! An exchange has three results, and callers must keep them apart: [`Verdict::Done`],
//! [`Verdict::Refused`] and [`Verdict::Unconfirmed`]. Only a NOERROR whose signature
//! verifies is *done*; and even that says no more than that the name server took the
//! message, so ask with [`lookup`] afterwards whether the record can be seen.

mod answer;
pub mod apex;
pub mod ds;
mod exchange;
mod key;
mod key_text;
mod lookup;
mod message;
pub mod probe;
pub mod question;
mod refusal;
mod reply;
mod texts;
mod transport;
mod wait;

/// The real name server for tests that look inside.
#[cfg(test)]
#[path = "../../tests/support/knot.rs"]
mod knot;

use std::net::{IpAddr, SocketAddr};

pub use domain::base::iana::{Rcode, Rtype, TsigRcode};

pub use self::answer::{Answer, By};
pub use self::exchange::{Verdict, send_clearing, send_texts, send_update};
pub use self::key::{Algorithm, Key, KeyError};
pub use self::lookup::{Answers, LookupError, lookup, lookup_texts};
pub use self::message::MessageError;
pub use self::refusal::{Doubt, Refusal};
pub use self::texts::Texts;
pub use self::wait::Wait;
use crate::ip::{AddressSet, Family};
use crate::name::RecordName;
use crate::ttl::Ttl;

/// A name server that takes updates, and the key it knows us by.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it listens for updates; loopback in an ordinary installation.
    pub address: SocketAddr,
    /// The key shared with it.
    pub key: Key,
}

/// One RRset, compared and swapped: what must stand there, and what shall stand there.
///
/// Where the two hold the same address only the comparison is sent. There is no way to
/// ask for another TTL alone: some servers ignore such a change and say NOERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// The owner name.
    pub name: RecordName,
    /// A or AAAA.
    pub family: Family,
    /// The addresses that must be there, exactly; none: there must be no such RRset.
    pub from: AddressSet,
    /// The only address afterwards and its TTL; `None`: no RRset of this family.
    pub to: Option<(IpAddr, Ttl)>,
}

impl Swap {
    /// Whether something would change, were `from` what stands there.
    pub fn changes(&self) -> bool {
        self.from != AddressSet::from(self.to.map(|(address, _)| address))
    }
}
