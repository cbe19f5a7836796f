//! Plain questions by UDP, without a key: is a zone served, what is its CDS (RFC 7344),
//! does the world know its NS.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::str::FromStr as _;
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::AllRecordData;

use crate::deadline::Deadline;
use crate::name::ZoneName;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing in time, or nothing that tells.
    Silence,
    /// No such name, or an answer that says no.
    No,
    /// The data of the records asked for, in presentation form; those of a referral too.
    Data(Vec<String>),
}

/// Which records are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whether the zone is there.
    Soa,
    /// Its name servers.
    Ns,
    /// What the parent has of its keys.
    Ds,
    /// What the parent's DS should be (RFC 7344).
    Cds,
    /// Its keys.
    Dnskey,
}

/// Asks `server` about the apex of `zone`, waiting for `wait`.
pub fn ask(server: SocketAddr, zone: &ZoneName, kind: Kind, wait: Duration) -> Reply {
    exchange(server, zone, kind, wait).unwrap_or(Reply::Silence)
}

fn exchange(server: SocketAddr, zone: &ZoneName, kind: Kind, wait: Duration) -> Option<Reply> {
    let name = Name::<Vec<u8>>::from_str(zone.as_str()).ok()?;
    let rtype = match kind {
        Kind::Soa => Rtype::SOA,
        Kind::Ns => Rtype::NS,
        Kind::Ds => Rtype::DS,
        Kind::Cds => Rtype::CDS,
        Kind::Dnskey => Rtype::DNSKEY,
    };
    let mut id = [0; 2];
    getrandom::fill(&mut id).ok()?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(u16::from_ne_bytes(id));
    builder.header_mut().set_rd(true);
    let mut question = builder.question();
    question.push((&name, rtype)).ok()?;
    let question = question.into_message();

    let any: IpAddr = match server.ip() {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    socket.send(question.as_slice()).ok()?;
    let deadline = Deadline::after(wait);
    let mut buffer = [0; 4096];
    while !deadline.passed() {
        socket.set_read_timeout(Some(deadline.left())).ok()?;
        let length = socket.recv(&mut buffer).ok()?;
        let Ok(message) = Message::from_octets(buffer.get(..length)?) else {
            continue;
        };
        if message.is_answer(&question) {
            return read(message, &name, rtype);
        }
    }
    None
}

fn read(message: Message<&[u8]>, name: &Name<Vec<u8>>, rtype: Rtype) -> Option<Reply> {
    let rcode = message.header().rcode();
    let says_no = matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
    // A resolver that refuses or could not find out has not said that there is none; a
    // name server says so of a zone that it lacks, or that is still empty.
    if !says_no && matches!(rtype, Rtype::NS | Rtype::DS) {
        return None;
    }
    if rcode != Rcode::NOERROR {
        return Some(Reply::No);
    }
    let sections = [message.answer().ok()?, message.authority().ok()?];
    let mut data: Vec<String> = sections
        .into_iter()
        .flat_map(|section| section.limit_to_in::<AllRecordData<_, _>>())
        .flatten()
        .filter(|record| record.rtype() == rtype && record.owner() == name)
        .map(|record| record.data().to_string())
        .collect();
    data.sort();
    Some(if data.is_empty() {
        Reply::No
    } else {
        Reply::Data(data)
    })
}
