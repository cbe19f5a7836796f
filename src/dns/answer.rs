//! What an answer tells about one name: its addresses, or what hides them.

use std::fmt;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use domain::base::wire::ParseError;
use domain::base::{Message, ParsedName};
use domain::rdata::{A, Aaaa, Soa, Txt};

use super::lookup::LookupError;
use super::message::WireName;
use super::refusal::Refusal;
use crate::ip::AddressSet;

/// What a name server said to one question: addresses, or texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T = AddressSet> {
    /// These, perhaps none.
    ///
    /// A name that is not there may be answered by a wildcard above it (RFC 4592), and
    /// nothing in the answer tells. A [`super::Swap`] whose `from` is empty does tell.
    Found(T),
    /// Whatever stands at the name cannot be seen.
    Hidden(By),
}

/// What hides the records of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A CNAME at the name (RFC 1034 3.6.2).
    Cname,
    /// A DNAME above the name (RFC 6672).
    Dname,
    /// A delegation at or above the name (RFC 1034 4.2.1).
    Delegation,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Cname => "a CNAME at this name",
            By::Dname => "a DNAME above this name",
            By::Delegation => "a delegation at or above this name",
        })
    }
}

/// A question and what was said so far.
pub(super) struct Question {
    /// The name asked for.
    pub(super) name: WireName,
    /// A, AAAA, TXT or SOA.
    pub(super) rtype: Rtype,
    /// What a verified answer told.
    pub(super) told: Option<Said>,
    /// A refusal that anybody could have sent.
    pub(super) said: Option<Refusal>,
}

impl Question {
    /// Not answered yet.
    pub(super) fn new(name: WireName, rtype: Rtype) -> Self {
        Question {
            name,
            rtype,
            told: None,
            said: None,
        }
    }

    /// Whether nothing has come to it yet.
    pub(super) fn is_open(&self) -> bool {
        self.told.is_none() && self.said.is_none()
    }

    /// What a verified answer tells about a zone.
    pub(super) fn read(&self, message: &Message<Vec<u8>>, zone: &WireName) -> Said {
        let records = Records::of(message)?;
        if self.rtype == Rtype::SOA {
            let serial = records.serial.filter(|_| message.header().aa());
            return serial
                .map(Told::Serial)
                .ok_or(LookupError::NotAuthoritative);
        }
        let hidden = self.hidden(&records, message.header().aa(), zone)?;
        Ok(if self.rtype == Rtype::TXT {
            Told::Texts(hidden.map_or_else(
                || Answer::Found(of_owner(&records.texts, &self.name)),
                Answer::Hidden,
            ))
        } else {
            Told::Addresses(hidden.map_or_else(
                || Answer::Found(of_owner(&records.addresses, &self.name)),
                Answer::Hidden,
            ))
        })
    }

    /// What hides the records of the name.
    fn hidden(
        &self,
        records: &Records<'_>,
        authoritative: bool,
        zone: &WireName,
    ) -> Result<Option<By>, LookupError> {
        // A DNAME comes with a CNAME made from it, so it is looked for first.
        if records.has_dname {
            return Ok(Some(By::Dname));
        }
        if records.cnames.iter().any(|owner| *owner == self.name) {
            return Ok(Some(By::Cname));
        }
        // The owner of NS or SOA says whose answer this is: a zone's below ours, where
        // the name is delegated to; or one above, when ours is not served here.
        if records.addresses.is_empty()
            && records.texts.is_empty()
            && let Some(owner) = records.authority.iter().find(|owner| **owner != *zone)
        {
            return if owner.ends_with(zone) {
                Ok(Some(By::Delegation))
            } else {
                Err(LookupError::NotAuthoritative)
            };
        }
        if !authoritative {
            return Err(LookupError::NotAuthoritative);
        }
        Ok(None)
    }
}

/// The serial in a verified answer about the SOA of `zone`.
pub(super) fn serial(zone: &WireName, message: &Message<Vec<u8>>) -> Result<u32, LookupError> {
    match Question::new(zone.clone(), Rtype::SOA).read(message, zone)? {
        Told::Serial(serial) => Ok(serial),
        Told::Addresses(_) | Told::Texts(_) => Err(LookupError::Garbled),
    }
}

/// The content of one answer, or why there is none.
pub(super) type Said = Result<Told, LookupError>;

/// The content of one answer.
pub(super) enum Told {
    /// To a question for addresses.
    Addresses(Answer),
    /// To a question for texts.
    Texts(Answer<Vec<String>>),
    /// To the question for the SOA.
    Serial(u32),
}

/// The records of an answer that matter here.
#[derive(Default)]
struct Records<'a> {
    /// A and AAAA in the answer section.
    addresses: Vec<(ParsedName<&'a Vec<u8>>, IpAddr)>,
    /// TXT in the answer section.
    texts: Vec<(ParsedName<&'a Vec<u8>>, String)>,
    /// The owners of CNAMEs in the answer section.
    cnames: Vec<ParsedName<&'a Vec<u8>>>,
    /// Whether the answer section has a DNAME.
    has_dname: bool,
    /// The serial of a SOA in the answer section.
    serial: Option<u32>,
    /// The owners of NS and SOA in the authority section.
    authority: Vec<ParsedName<&'a Vec<u8>>>,
}

impl<'a> Records<'a> {
    /// Those of a message.
    fn of(message: &'a Message<Vec<u8>>) -> Result<Self, LookupError> {
        Self::read(message).map_err(|_| LookupError::Garbled)
    }

    /// As [`Records::of`].
    fn read(message: &'a Message<Vec<u8>>) -> Result<Self, ParseError> {
        let mut records = Records::default();
        for record in message.answer()? {
            let record = record?;
            let owner = record.owner();
            match record.rtype() {
                Rtype::CNAME => records.cnames.push(owner),
                Rtype::DNAME => records.has_dname = true,
                Rtype::A => {
                    if let Some(record) = record.to_record::<A>()? {
                        records.addresses.push((owner, record.data().addr().into()));
                    }
                }
                Rtype::AAAA => {
                    if let Some(record) = record.to_record::<Aaaa>()? {
                        records.addresses.push((owner, record.data().addr().into()));
                    }
                }
                Rtype::TXT => {
                    if let Some(record) = record.to_record::<Txt<_>>()? {
                        let text: Vec<u8> = record.data().text();
                        let text = String::from_utf8_lossy(&text).into_owned();
                        records.texts.push((owner, text));
                    }
                }
                Rtype::SOA => {
                    let record = record.to_record::<Soa<_>>()?;
                    records.serial = record.map(|soa| soa.data().serial().into_int());
                }
                _ => {}
            }
        }
        for record in message.authority()? {
            let record = record?;
            if matches!(record.rtype(), Rtype::NS | Rtype::SOA) {
                records.authority.push(record.owner());
            }
        }
        Ok(records)
    }
}

/// The data of those records that have that owner.
fn of_owner<D: Clone, C: FromIterator<D>>(
    records: &[(ParsedName<&Vec<u8>>, D)],
    name: &WireName,
) -> C {
    let own = records.iter().filter(|(owner, _)| owner == name);
    own.map(|(_, data)| data.clone()).collect()
}
