//! Questions about any name and type, without a key, as the world asks them: by UDP, and
//! by TCP where the answer does not fit.

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};
use domain::base::name::FlattenInto;
use domain::base::rdata::ComposeRecordData;
use domain::base::wire::ParseError;
use domain::base::{Message, MessageBuilder, Name, RecordSection};
use domain::rdata::AllRecordData;

use super::message::{self, WireName};
use super::transport::{Tcp, Udp};
use super::wait::Wait;
use crate::deadline::Deadline;

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub struct Told {
    /// The RCODE.
    pub rcode: Rcode,
    /// Whether it comes from one who has the zone.
    pub authoritative: bool,
    /// What was asked for.
    pub answer: Vec<Record>,
    /// Whose answer it is, or who knows more.
    pub authority: Vec<Record>,
    /// Addresses along with it.
    pub additional: Vec<Record>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its owner, lower case, without the final dot.
    pub owner: String,
    /// Its type.
    pub rtype: Rtype,
    /// Its TTL in seconds.
    pub ttl: u32,
    /// Its data in presentation form.
    pub data: String,
    /// Its data on the wire, names in full.
    pub octets: Vec<u8>,
}

impl Told {
    /// The data of the records of that owner and type, in answer or authority, sorted.
    pub fn data(&self, owner: &str, rtype: Rtype) -> Vec<&Record> {
        let sections = self.answer.iter().chain(&self.authority);
        let mut found: Vec<&Record> = sections
            .filter(|record| record.rtype == rtype && record.owner == owner)
            .collect();
        found.sort_by(|a, b| a.data.cmp(&b.data));
        found
    }
}

/// Asks `server` for `rtype` at `name`, for `wait` at most; nothing when no answer came.
///
/// `recursive`: of a resolver, which is to find it out.
pub fn ask(
    server: SocketAddr,
    name: &str,
    rtype: Rtype,
    recursive: bool,
    wait: Duration,
) -> Option<Told> {
    let name = message::read(name).ok()?;
    let mut id = [0; 2];
    getrandom::fill(&mut id).ok()?;
    let question = question(u16::from_ne_bytes(id), &name, rtype, recursive)?;
    let deadline = Deadline::after(wait);
    let mut udp = Udp::connect(server).ok()?;
    udp.send(question.as_slice()).ok()?;
    let mut patience = Wait::from(deadline);
    loop {
        let octets = udp.receive(deadline, &mut patience).ok()??;
        let Ok(message) = Message::from_octets(octets) else {
            continue;
        };
        if !is_answer(&message, &question) {
            continue;
        }
        if !message.header().tc() {
            return read(&message).ok();
        }
        let mut tcp = Tcp::connect(server, &mut patience).ok()?;
        tcp.send(question.as_slice()).ok()?;
        let octets = tcp.receive().ok()?;
        let message = Message::from_octets(octets.as_slice()).ok()?;
        return is_answer(&message, &question).then(|| read(&message).ok())?;
    }
}

fn question(id: u16, name: &WireName, rtype: Rtype, recursive: bool) -> Option<Message<Vec<u8>>> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(id);
    builder.header_mut().set_rd(recursive);
    let mut builder = builder.question();
    builder.push((name, rtype)).ok()?;
    let mut builder = builder.additional();
    // RRSIGs are wanted too (RFC 3225).
    builder
        .opt(|opt| {
            opt.set_udp_payload_size(1232);
            opt.set_dnssec_ok(true);
            Ok(())
        })
        .ok()?;
    Some(builder.into_message())
}

/// The identifier and the question are ours; EDNS may be there or not.
fn is_answer(message: &Message<&[u8]>, question: &Message<Vec<u8>>) -> bool {
    message.header().qr()
        && message.header().id() == question.header().id()
        && message.sole_question().ok() == question.sole_question().ok()
}

fn read(message: &Message<&[u8]>) -> Result<Told, ParseError> {
    Ok(Told {
        rcode: message.header().rcode(),
        authoritative: message.header().aa(),
        answer: records(message.answer()?),
        authority: records(message.authority()?),
        additional: records(message.additional()?),
    })
}

fn records(section: RecordSection<'_, &[u8]>) -> Vec<Record> {
    section
        .limit_to_in::<AllRecordData<_, _>>()
        .flatten()
        .filter_map(|record| {
            let flat: AllRecordData<Vec<u8>, Name<Vec<u8>>> =
                record.data().clone().try_flatten_into().ok()?;
            let mut octets = Vec::new();
            flat.compose_canonical_rdata(&mut octets).ok()?;
            Some(Record {
                owner: record.owner().to_string().to_ascii_lowercase(),
                rtype: record.rtype(),
                ttl: record.ttl().as_secs(),
                data: flat.to_string(),
                octets,
            })
        })
        .collect()
}
