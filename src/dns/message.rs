//! The messages we send: UPDATE (RFC 2136) and QUERY (RFC 1035), signed (RFC 8945).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::SystemTime;

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::message_builder::{
    AdditionalBuilder, PushError, QuestionBuilder, TreeCompressor,
};
use domain::base::wire::Composer;
use domain::base::{MessageBuilder, Name, NameBuilder, UnknownRecordData};
use domain::rdata::tsig::Time48;
use domain::tsig::{self, ClientTransaction};

use super::Swap;
use super::key::Key;
use crate::ip::Family;
use crate::name::{RecordName, ZoneName};

/// A name in wire format.
pub(super) type WireName = Name<Vec<u8>>;

/// The longest message (RFC 1035 4.2.2).
const MESSAGE_MAX: usize = 65_535;
/// What we take in one datagram: fits every path without fragments (RFC 9715).
const UDP_PAYLOAD: u16 = 1232;

/// Room for a question with its signature; others grow.
const QUESTION: usize = 256;

/// What a message is written into.
pub(super) trait Octets: Composer + Clone {
    /// The octets.
    fn octets(self) -> Vec<u8>;
}

/// Names are compressed: an UPDATE has each several times.
impl Octets for TreeCompressor<Vec<u8>> {
    fn octets(self) -> Vec<u8> {
        self.into_target()
    }
}

/// Names as they are: a question has one.
impl Octets for Vec<u8> {
    fn octets(self) -> Vec<u8> {
        self
    }
}

/// An unsigned message with its identifier still to be chosen.
#[derive(Clone)]
pub(super) struct Request<T = TreeCompressor<Vec<u8>>> {
    /// All sections are there but the signature.
    pub(super) builder: AdditionalBuilder<T>,
}

impl<T: Octets> Request<T> {
    /// Signs it, with a random identifier that `taken` does not have and the time as it is
    /// now.
    pub(super) fn sign(
        mut self,
        key: &Key,
        taken: impl Fn(u16) -> bool,
    ) -> Result<Signed, MessageError> {
        let builder = &mut self.builder;
        let id = loop {
            let id = random_id()?;
            if !taken(id) {
                break id;
            }
        };
        builder.header_mut().set_id(id);
        let opcode = builder.header().opcode();
        let transaction = ClientTransaction::request(key.signer().clone(), builder, now())?;
        let octets = self.builder.finish().octets();
        if octets.len() > MESSAGE_MAX {
            return Err(MessageError::Large);
        }
        Ok(Signed {
            id,
            opcode,
            octets,
            transaction,
        })
    }

    /// It as it is, unsigned, and its random identifier.
    pub(super) fn bare(mut self) -> Result<(u16, Vec<u8>), MessageError> {
        let id = random_id()?;
        self.builder.header_mut().set_id(id);
        Ok((id, self.builder.finish().octets()))
    }
}

/// A signed message, and what verifies its answer.
pub(super) struct Signed {
    /// Its identifier.
    pub(super) id: u16,
    /// UPDATE or QUERY.
    pub(super) opcode: Opcode,
    /// The message.
    pub(super) octets: Vec<u8>,
    /// Knows the signature that the answer's is made over.
    pub(super) transaction: ClientTransaction<tsig::Key>,
}

/// The UPDATE that makes `swaps`, all or none of them (RFC 2136 2).
///
/// Prerequisites: no CNAME at any owner name, and every RRset as its swap says. Updates:
/// for every swap that changes something, the RRset deleted and the new address added.
pub(super) fn update(zone: &ZoneName, swaps: &[Swap]) -> Result<Request, MessageError> {
    check(zone, swaps)?;
    // The owner names first, each once: behind 16 KiB they could not be compressed any more.
    let mut builder = of_zone(zone)?.answer();
    let mut before: Option<&RecordName> = None;
    for swap in swaps {
        if before != Some(&swap.name) {
            builder.push((wire(&swap.name)?, Class::NONE, 0, empty(Rtype::CNAME)?))?;
        }
        before = Some(&swap.name);
    }
    for swap in swaps {
        let name = wire(&swap.name)?;
        if swap.from.is_empty() {
            builder.push((name, Class::NONE, 0, empty(rtype(swap.family))?))?;
        } else {
            for address in swap.from.iter() {
                builder.push((&name, Class::IN, 0, of(address)?))?;
            }
        }
    }

    let mut builder = builder.authority();
    for swap in swaps.iter().filter(|swap| swap.changes()) {
        let name = wire(&swap.name)?;
        builder.push((&name, Class::ANY, 0, empty(rtype(swap.family))?))?;
        if let Some((address, ttl)) = swap.to {
            builder.push((&name, Class::IN, ttl.seconds(), of(address)?))?;
        }
    }
    Ok(Request {
        builder: builder.additional(),
    })
}

/// The UPDATE that deletes some things, or nothing, without prerequisites (RFC 2136 2.5).
pub(super) fn deletion<'a>(
    zone: &ZoneName,
    things: impl IntoIterator<Item = (&'a str, Class, Rtype, Vec<u8>)>,
) -> Result<Request, MessageError> {
    let mut builder = of_zone(zone)?.authority();
    for (name, class, rtype, octets) in things {
        builder.push((read(name)?, class, 0, data(rtype, octets)?))?;
    }
    Ok(Request {
        builder: builder.additional(),
    })
}

/// The beginning of an UPDATE of a zone.
pub(super) fn of_zone(
    zone: &ZoneName,
) -> Result<QuestionBuilder<TreeCompressor<Vec<u8>>>, MessageError> {
    let mut builder = MessageBuilder::from_target(TreeCompressor::new(Vec::new()))
        .map_err(|_| MessageError::Large)?;
    builder.header_mut().set_opcode(Opcode::UPDATE);
    let mut builder = builder.question();
    builder.push((wire(zone)?, Rtype::SOA))?;
    Ok(builder)
}

/// A question, not recursive, with room for an answer of 1232 octets (RFC 6891).
pub(super) fn query(name: &WireName, rtype: Rtype) -> Result<Request<Vec<u8>>, MessageError> {
    let octets = Vec::with_capacity(QUESTION);
    let builder = MessageBuilder::from_target(octets).map_err(|_| MessageError::Large)?;
    let mut builder = builder.question();
    builder.push((name, rtype))?;
    let mut builder = builder.additional();
    builder.opt(|opt| {
        opt.set_udp_payload_size(UDP_PAYLOAD);
        Ok(())
    })?;
    Ok(Request { builder })
}

/// A name of ours in wire format: label by label, as none of them has an escape.
pub(super) fn wire(name: &impl fmt::Display) -> Result<WireName, MessageError> {
    let text = name.to_string();
    // One octet for the length of each label, and one for the root.
    let mut builder = NameBuilder::vec_with_capacity(text.len() + 2);
    let mut labels = text.split('.');
    (labels.try_for_each(|label| builder.append_label(label.as_bytes())))
        .and_then(|()| builder.into_name())
        .map_err(|_| MessageError::Name(text))
}

/// A name in presentation format, whoever wrote it, in wire format (RFC 1035 5.1).
pub(super) fn read(text: &str) -> Result<WireName, MessageError> {
    Name::from_str(text).map_err(|_| MessageError::Name(text.to_owned()))
}

/// The record type of a family.
pub(super) fn rtype(family: Family) -> Rtype {
    match family {
        Family::Ipv4 => Rtype::A,
        Family::Ipv6 => Rtype::AAAA,
    }
}

/// The time for a signature (RFC 8945 4.2).
pub(super) fn now() -> Time48 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs();
    #[cfg(test)]
    let seconds = seconds.saturating_add_signed(tests::CLOCK_SHIFT.get());
    Time48::from_u64(seconds & 0xffff_ffff_ffff)
}

/// Refuses swaps that contradict themselves or each other.
fn check(zone: &ZoneName, swaps: &[Swap]) -> Result<(), MessageError> {
    let mut seen = std::collections::HashSet::new();
    for swap in swaps {
        let foreign = |address: IpAddr| Family::of(address) != swap.family;
        if swap.name.host().zone() != *zone {
            return Err(MessageError::Name(swap.name.to_string()));
        }
        if swap
            .from
            .iter()
            .chain(swap.to.map(|(address, _)| address))
            .any(foreign)
        {
            return Err(MessageError::Family(swap.family));
        }
        if !seen.insert((&swap.name, swap.family)) {
            return Err(MessageError::Twice(swap.name.to_string(), swap.family));
        }
    }
    Ok(())
}

/// Record data of so many octets; the special classes of RFC 2136 want none.
pub(super) fn data(
    rtype: Rtype,
    octets: Vec<u8>,
) -> Result<UnknownRecordData<Vec<u8>>, MessageError> {
    UnknownRecordData::from_octets(rtype, octets).map_err(|_| MessageError::Large)
}

/// No data.
pub(super) fn empty(rtype: Rtype) -> Result<UnknownRecordData<Vec<u8>>, MessageError> {
    data(rtype, Vec::new())
}

/// The data of an A or AAAA record.
fn of(address: IpAddr) -> Result<UnknownRecordData<Vec<u8>>, MessageError> {
    let octets = match address {
        IpAddr::V4(ipv4) => ipv4.octets().to_vec(),
        IpAddr::V6(ipv6) => ipv6.octets().to_vec(),
    };
    data(rtype(Family::of(address)), octets)
}

/// An identifier nobody can guess.
fn random_id() -> Result<u16, MessageError> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|_| MessageError::Random)?;
    Ok(u16::from_be_bytes(id))
}

/// Why a message cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageError {
    /// More than 65535 octets.
    Large,
    /// A name that is not in the zone.
    Name(String),
    /// An address of the other family.
    Family(Family),
    /// Two swaps of one RRset.
    Twice(String, Family),
    /// The system's random source failed.
    Random,
}

impl MessageError {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            MessageError::Large => Some("send fewer names at once"),
            _ => None,
        }
    }
}

impl From<PushError> for MessageError {
    fn from(_: PushError) -> Self {
        MessageError::Large
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageError::Large => write!(f, "the message would be over {MESSAGE_MAX} octets"),
            MessageError::Name(name) => write!(f, "{name:?} is no name of this zone"),
            MessageError::Family(family) => write!(f, "an address is not {family}"),
            MessageError::Twice(name, family) => {
                write!(f, "{name:?} is asked for twice for {family}")
            }
            MessageError::Random => f.write_str("the system's random source failed"),
        }
    }
}

impl std::error::Error for MessageError {}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// Seconds by which signatures are made in another time.
        pub(in crate::dns) static CLOCK_SHIFT: Cell<i64> = const { Cell::new(0) };
    }

    #[test]
    fn an_update_is_these_octets() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let ttl = crate::ttl::Ttl::DEFAULT;
        let home = RecordName::parse("home.dyn.example.org", &zone).unwrap();
        let swap = |family, from: &str, to: Option<&str>| Swap {
            name: home.clone(),
            family,
            from: from
                .split_whitespace()
                .map(|ip| ip.parse().unwrap())
                .collect(),
            to: to.map(|ip| (ip.parse().unwrap(), ttl)),
        };
        let swaps = [
            swap(Family::Ipv4, "203.0.113.7", Some("203.0.113.8")),
            swap(Family::Ipv6, "", Some("2001:db8::1")),
        ];
        let expected = [
            // Id 0, opcode UPDATE; one zone, three prerequisites, four updates, nothing more.
            "0000 2800 0001 0003 0004 0000",
            // dyn.example.org SOA IN
            "03 64796e 07 6578616d706c65 03 6f7267 00 0006 0001",
            // home CNAME, class NONE: there is none.
            "04 686f6d65 c00c 0005 00fe 00000000 0000",
            // home A 203.0.113.7, class IN: exactly this.
            "c021 0001 0001 00000000 0004 cb007107",
            // home AAAA, class NONE: there is none.
            "c021 001c 00fe 00000000 0000",
            // home A, class ANY: delete the RRset; then add 203.0.113.8, TTL 60.
            "c021 0001 00ff 00000000 0000",
            "c021 0001 0001 0000003c 0004 cb007108",
            // home AAAA, class ANY; then 2001:db8::1.
            "c021 001c 00ff 00000000 0000",
            "c021 001c 0001 0000003c 0010 20010db8000000000000000000000001",
        ];
        let request = update(&zone, &swaps).unwrap();
        let octets = request.builder.finish().into_target();
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, expected.concat().replace(' ', ""));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let swaps: Vec<Swap> = (0..1200)
            .map(|n| Swap {
                name: RecordName::parse(&format!("host-{n}.dyn.example.org"), &zone).unwrap(),
                family: Family::Ipv4,
                from: crate::ip::AddressSet::default(),
                to: Some(("203.0.113.8".parse().unwrap(), crate::ttl::Ttl::DEFAULT)),
            })
            .collect();
        let key = Key::generate("bowline").unwrap().0;
        let sign = |some: &[Swap]| update(&zone, some).unwrap().sign(&key, |_| false);
        assert!(sign(&swaps[..500]).is_ok());
        assert_eq!(sign(&swaps).map(drop), Err(MessageError::Large));
    }
}
