//! Probes: what a key may do, and what a name server lets strangers do, found out without
//! changing anything.
//!
//! Each is an UPDATE (RFC 2136) that deletes what is not there. The answer tells whether
//! the deletion would have been allowed; a zone, and its serial, stay as they are.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::{Class, Rcode, Rtype};

use super::exchange::{Verdict, ask_by_tcp};
use super::key::Key;
use super::lookup::LookupError;
use super::message::{self, MessageError, Request};
use super::refusal::{Doubt, Refusal};
use super::reply::{Reply, judge};
use super::transport::Udp;
use super::wait::Wait;
use super::{Server, answer};
use crate::deadline::Deadline;
use crate::name::ZoneName;

/// Who asks whom, and how.
#[derive(Debug, Clone)]
pub struct Probe<'a> {
    /// The name server.
    pub server: SocketAddr,
    /// Which of this machine's addresses to ask from; `None`: the system chooses.
    pub source: Option<IpAddr>,
    /// What it is signed with; `None`: it is not.
    pub key: Option<&'a Key>,
    /// How long to wait for the answer.
    pub wait: Duration,
}

/// What would be deleted, were it there.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Nothing: an UPDATE without updates.
    Nothing,
    /// The RRset of a name that has none: of this type, or with `ANY` every one.
    Rrset(String, Rtype),
    /// A record that no zone has.
    Record(String, Rtype),
}

impl Probe<'_> {
    /// Sends one UPDATE as a datagram. Unsigned, every NOERROR counts as done.
    pub fn update(&self, zone: &ZoneName, deed: &Deed) -> Verdict {
        let request = match request(zone, deed) {
            Ok(request) => request,
            Err(error) => return Verdict::Refused(Refusal::Unsendable(error)),
        };
        self.exchange(&request).unwrap_or_else(Verdict::Unconfirmed)
    }

    /// The zone's serial, by a connection instead of a datagram.
    ///
    /// # Errors
    /// As [`super::lookup`].
    pub fn serial_by_tcp(&self, key: &Key, zone: &ZoneName) -> Result<u32, LookupError> {
        let server = Server {
            address: self.server,
            key: key.clone(),
        };
        let apex = message::wire(zone)?;
        let signed = message::query(&apex, Rtype::SOA)?.sign(key, |_| false)?;
        let mut wait = Wait::from(Deadline::after(self.wait));
        match ask_by_tcp(&server, &signed, &mut wait) {
            Ok(Reply::Verified(_, message)) => answer::serial(&apex, &message),
            Ok(Reply::Refused(_, refusal)) => Err(refusal.into()),
            Ok(_) => Err(LookupError::NoAnswer(Doubt::Unverified)),
            Err(doubt) => Err(LookupError::NoAnswer(doubt)),
        }
    }

    /// Sends it once and waits for what counts.
    fn exchange(&self, request: &Request) -> Result<Verdict, Doubt> {
        let unreachable = |error: std::io::Error| Doubt::Unreachable(error.kind());
        let mut udp = match self.source {
            Some(source) => Udp::connect_from(source, self.server),
            None => Udp::connect(self.server),
        }
        .map_err(unreachable)?;
        let deadline = Deadline::after(self.wait);
        let mut wait = Wait::from(deadline);
        let unsendable = |error| Ok(Verdict::Refused(Refusal::Unsendable(error)));
        let Some(key) = self.key else {
            let (id, octets) = match request.clone().bare() {
                Ok(bare) => bare,
                Err(error) => return unsendable(error),
            };
            udp.send(&octets).map_err(unreachable)?;
            while let Some(octets) = udp.receive(deadline, &mut wait).map_err(unreachable)? {
                if let Some(verdict) = unsigned(octets, id) {
                    return Ok(verdict);
                }
            }
            return Err(Doubt::Silent);
        };
        let signed = match request.clone().sign(key, |_| false) {
            Ok(signed) => signed,
            Err(error) => return unsendable(error),
        };
        udp.send(&signed.octets).map_err(unreachable)?;
        let mut doubt = Doubt::Silent;
        while let Some(octets) = udp.receive(deadline, &mut wait).map_err(unreachable)? {
            match judge(octets, [&signed]) {
                Reply::Stray => {}
                Reply::Unverified => doubt = Doubt::Unverified,
                Reply::Verified(..) => return Ok(Verdict::Done),
                Reply::Refused(_, refusal) => return Ok(Verdict::Refused(refusal)),
            }
        }
        Err(doubt)
    }
}

/// What a datagram says to an unsigned UPDATE; nothing when it is no answer to it.
fn unsigned(octets: &[u8], id: u16) -> Option<Verdict> {
    let message = Message::from_octets(octets).ok()?;
    let header = message.header();
    if header.id() != id || !header.qr() {
        return None;
    }
    Some(match header.rcode() {
        Rcode::NOERROR => Verdict::Done,
        rcode => Verdict::Refused(Refusal::Rcode {
            rcode,
            tsig: None,
            authenticated: false,
        }),
    })
}

/// The UPDATE that would do it.
fn request(zone: &ZoneName, deed: &Deed) -> Result<Request, MessageError> {
    let thing = match deed {
        Deed::Nothing => None,
        Deed::Rrset(name, rtype) => Some((name.as_str(), Class::ANY, *rtype, Vec::new())),
        Deed::Record(name, rtype) => Some((name.as_str(), Class::NONE, *rtype, absent(*rtype)?)),
    };
    message::deletion(zone, thing)
}

/// Data that no record has: an address or a name that means nothing (RFC 1122 3.2.1.3,
/// RFC 6761 6.4), or a text nobody else could think of.
fn absent(rtype: Rtype) -> Result<Vec<u8>, MessageError> {
    let name = || message::wire(&"bowline-probe.invalid").map(|name| name.as_octets().clone());
    Ok(match rtype {
        Rtype::A => vec![0; 4],
        Rtype::AAAA => vec![0; 16],
        Rtype::MX => [vec![0, 0], name()?].concat(),
        Rtype::NS | Rtype::CNAME => name()?,
        _ => b"\x15bowline-probe.invalid".to_vec(),
    })
}
