//! Plain DNS messages (RFC 1035, RFC 2136) over UDP, many at a time: what the name server
//! can take, and what it serves.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::Trouble;

/// After so long without any answer, what is open is sent again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is sent at most.
const TIMES: u32 = 10;
/// How long a header is.
const HEADER: usize = 12;

const A: u16 = 1;
const SOA: u16 = 6;
const IN: u16 = 1;
const ANY: u16 = 255;

/// A question for the addresses at a name.
pub(crate) fn question(name: &str) -> Vec<u8> {
    message(0, name, A, 0)
}

/// An UPDATE that puts one address at a host of the zone and nothing else there.
pub(crate) fn update(zone: &str, host: &str, address: Ipv4Addr) -> Vec<u8> {
    let mut octets = message(5 << 11, zone, SOA, 2);
    record(&mut octets, host, ANY, 0, &[]);
    record(&mut octets, host, IN, 60, &address.octets());
    octets
}

/// The address in an answer with just one record.
pub(crate) fn address(answer: &[u8]) -> Option<Ipv4Addr> {
    let mut at = HEADER;
    while let length @ 1.. = *answer.get(at)? {
        at += usize::from(length) + 1;
    }
    // Root, type and class; then a pointer, type, class, TTL and length.
    let data = answer.get(at + 5 + 12..)?.get(..4)?;
    let data: [u8; 4] = data.try_into().ok()?;
    (answer.get(6..8)? == [0, 1]).then(|| data.into())
}

/// Whether the server has the zone.
pub(crate) fn has_zone(port: u16, zone: &str) -> Result<bool, Trouble> {
    let mut has = false;
    exchange(
        port,
        1,
        1,
        |_| message(0, zone, SOA, 0),
        |_, answer| {
            has = answer.get(6..8) == Some(&[0, 1]);
        },
    )?;
    Ok(has)
}

/// Sends `count` messages, at most `open` of them unanswered, and takes every answer;
/// the octets that identify a message are filled in here.
pub(crate) fn exchange(
    port: u16,
    count: usize,
    open: usize,
    message: impl Fn(usize) -> Vec<u8>,
    mut answered: impl FnMut(usize, &[u8]),
) -> Result<Duration, Trouble> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(AGAIN))?;
    let mut waiting: HashMap<u16, (usize, Vec<u8>)> = HashMap::new();
    let mut buffer = [0; 4096];
    let (mut next, mut times) = (0, 0);
    let began = Instant::now();
    while next < count || !waiting.is_empty() {
        while next < count && waiting.len() < open {
            let id = (next % 65_536) as u16;
            let mut octets = message(next);
            octets.splice(..2, id.to_be_bytes());
            socket.send(&octets)?;
            waiting.insert(id, (next, octets));
            next += 1;
        }
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let answer = buffer.get(..length).unwrap_or_default();
                let id = answer.first_chunk().map(|id| u16::from_be_bytes(*id));
                if let Some((position, _)) = id.and_then(|id| waiting.remove(&id)) {
                    answered(position, answer);
                    times = 0;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                times += 1;
                if times == TIMES {
                    return Err("the name server does not answer".into());
                }
                for (_, octets) in waiting.values() {
                    socket.send(octets)?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(began.elapsed())
}

/// Whether an answer says NOERROR.
pub(crate) fn is_done(answer: &[u8]) -> bool {
    answer.get(3).is_some_and(|octet| octet & 0x0f == 0)
}

/// A header with one question or zone, and room announced for so many updates.
fn message(flags: u16, name: &str, rtype: u16, updates: u16) -> Vec<u8> {
    let mut octets = Vec::with_capacity(128);
    for field in [0, flags, 1, 0, updates, 0] {
        octets.extend(field.to_be_bytes());
    }
    labels(&mut octets, name);
    octets.push(0);
    octets.extend(rtype.to_be_bytes());
    octets.extend(IN.to_be_bytes());
    octets
}

/// A record of a host in the zone, whose name stands right behind the header.
fn record(octets: &mut Vec<u8>, host: &str, class: u16, ttl: u32, data: &[u8]) {
    labels(octets, host);
    octets.extend([0xc0, HEADER as u8]);
    octets.extend(A.to_be_bytes());
    octets.extend(class.to_be_bytes());
    octets.extend(ttl.to_be_bytes());
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
}

/// The labels of a name, without the root.
fn labels(octets: &mut Vec<u8>, name: &str) {
    for label in name.split('.') {
        octets.push(label.len() as u8);
        octets.extend(label.bytes());
    }
}
