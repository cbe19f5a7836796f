//! Short words for names, swaps and servers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bowline::deadline::Deadline;
use bowline::dns::{Answer, Answers, Key, LookupError, Server, Swap, Verdict};
use bowline::ip::{AddressSet, Family};
use bowline::name::{RecordName, ZoneName};
use bowline::ttl::Ttl;
use tempfile::TempDir;

use crate::support::knot::{Knot, Options, ZONE};

/// A Knot, its directory, and ourselves as its client.
pub(crate) struct Bench {
    pub(crate) knot: Knot,
    pub(crate) server: Server,
    /// Removed with the server.
    _dir: TempDir,
}

/// A Knot with these records besides SOA and NS.
pub(crate) fn bench(records: &[&str]) -> Bench {
    let records = records.iter().map(|record| (*record).to_owned()).collect();
    bench_with(&Options {
        records,
        ..Options::default()
    })
}

/// A Knot that is otherwise.
pub(crate) fn bench_with(options: &Options) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let knot = Knot::start(dir.path(), options);
    let server = Server {
        address: knot.addr(),
        key: Key::read(knot.key_text()).unwrap(),
    };
    Bench {
        knot,
        server,
        _dir: dir,
    }
}

impl Bench {
    /// Sends with the deadline of a request.
    pub(crate) fn send(&self, swaps: &[Swap]) -> Verdict {
        send(&self.server, swaps)
    }

    /// Asks for both families of a name and the serial.
    pub(crate) fn look(&self, name: &str) -> Result<Answers, LookupError> {
        look(&self.server, name)
    }
}

/// Sends with the deadline of a request.
pub(crate) fn send(server: &Server, swaps: &[Swap]) -> Verdict {
    bowline::dns::send_update(server, &zone(), swaps, Deadline::after(Deadline::REQUEST))
}

/// Asks for both families of a name and the serial.
pub(crate) fn look(server: &Server, name: &str) -> Result<Answers, LookupError> {
    let name = record(name);
    let questions = Family::BOTH.map(|family| (&name, family));
    bowline::dns::lookup(server, &zone(), &questions, true, in_seconds(4))
}

pub(crate) fn in_seconds(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds))
}

pub(crate) fn zone() -> ZoneName {
    ZONE.parse().unwrap()
}

/// A name relative to the zone, perhaps with `*.` in front.
pub(crate) fn record(name: &str) -> RecordName {
    RecordName::parse(name, &zone()).unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Addresses with spaces between.
pub(crate) fn set(text: &str) -> AddressSet {
    text.split_whitespace().map(ip).collect()
}

/// The answer with these addresses.
pub(crate) fn found(text: &str) -> Result<Answer, LookupError> {
    Ok(Answer::Found(set(text)))
}

/// From a set to one address or none (`""`), of the family of whichever is there.
pub(crate) fn swap(name: &str, from: &str, to: &str) -> Swap {
    let to = to.split_whitespace().map(ip).next();
    let family = Family::of(set(from).iter().next().or(to).expect("an address"));
    Swap {
        name: record(name),
        family,
        from: set(from),
        to: to.map(|address| (address, Ttl::DEFAULT)),
    }
}

/// A server that nobody is.
pub(crate) fn server_at(address: SocketAddr) -> Server {
    Server {
        address,
        key: Key::generate("bowline").unwrap().0,
    }
}
