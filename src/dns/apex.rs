//! What there is under the name of a zone, asked without a key: is it served, what is its
//! CDS (RFC 7344), does the world know its NS.

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};

use super::question::{self, Record, Told};
use crate::name::ZoneName;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing in time, or nothing that tells.
    Silence,
    /// No such name, or an answer that says no.
    No,
    /// The records asked for, sorted by their data; those of a referral too.
    Data(Vec<Record>),
}

/// Asks `server` for `rtype` at the apex of `zone`, for `wait` at most.
pub fn ask(server: SocketAddr, zone: &ZoneName, rtype: Rtype, wait: Duration) -> Reply {
    match question::ask(server, zone.as_str(), rtype, true, wait) {
        Some(told) => read(&told, zone, rtype),
        None => Reply::Silence,
    }
}

fn read(told: &Told, zone: &ZoneName, rtype: Rtype) -> Reply {
    let says_no = matches!(told.rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
    // A resolver that refuses or could not find out has not said that there is none; a
    // name server says so of a zone that it lacks, or that is still empty.
    if !says_no && matches!(rtype, Rtype::NS | Rtype::DS) {
        return Reply::Silence;
    }
    if told.rcode != Rcode::NOERROR {
        return Reply::No;
    }
    let data: Vec<Record> = told
        .data(zone.as_str(), rtype)
        .into_iter()
        .cloned()
        .collect();
    match data.is_empty() {
        true => Reply::No,
        false => Reply::Data(data),
    }
}
