//! Challenges for certificates on the wire: TXT that comes and goes by value (RFC 2136 2.5.4).

use domain::base::UnknownRecordData;
use domain::base::iana::{Class, Rtype};

use super::message::{MessageError, Request, data, empty, of_zone, wire};
use crate::challenge::{CHALLENGE_TTL, ChallengeValue};
use crate::name::{RecordName, ZoneName};

/// Challenges that are to stand at one name, and others that are not (TXT, RFC 8555 8.4).
///
/// Whatever else stands there is left alone, so that those of two orders coexist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The owner name.
    pub name: RecordName,
    /// To be there.
    pub add: Vec<ChallengeValue>,
    /// To be gone.
    pub remove: Vec<ChallengeValue>,
}

impl Texts {
    /// Whether it is so, were `found` what stands there.
    pub fn agrees(&self, found: &[String]) -> bool {
        let is_there = |value: &ChallengeValue| found.iter().any(|text| text == value.as_str());
        self.add.iter().all(is_there) && !self.remove.iter().any(is_there)
    }
}

/// The UPDATE that adds and removes challenges at a name, each by its value, so that others
/// stay (RFC 2136 2.5.1, 2.5.4). Prerequisite: no CNAME there.
pub(super) fn update(zone: &ZoneName, texts: &Texts) -> Result<Request, MessageError> {
    if texts.name.host().zone() != *zone {
        return Err(MessageError::Name(texts.name.to_string()));
    }
    let name = wire(&texts.name)?;
    let mut builder = of_zone(zone)?.answer();
    builder.push((&name, Class::NONE, 0, empty(Rtype::CNAME)?))?;
    let mut builder = builder.authority();
    for value in &texts.remove {
        builder.push((&name, Class::NONE, 0, text(value)?))?;
    }
    for value in &texts.add {
        builder.push((&name, Class::IN, CHALLENGE_TTL, text(value)?))?;
    }
    Ok(Request {
        builder: builder.additional(),
    })
}

/// The data of a TXT record of one string (RFC 1035 3.3.14).
fn text(value: &ChallengeValue) -> Result<UnknownRecordData<Vec<u8>>, MessageError> {
    let octets = value.as_str().as_bytes();
    let length = u8::try_from(octets.len()).map_err(|_| MessageError::Large)?;
    data(Rtype::TXT, [&[length], octets].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_of_challenges_is_these_octets() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let home = crate::name::HostName::new("home", &zone).unwrap();
        let value = |letter: &str| letter.repeat(43).parse().unwrap();
        let texts = Texts {
            name: RecordName::challenge(home),
            add: vec![value("a")],
            remove: vec![value("b")],
        };
        let expected = [
            "0000 2800 0001 0001 0002 0000",
            "03 64796e 07 6578616d706c65 03 6f7267 00 0006 0001",
            // _acme-challenge.home CNAME, class NONE: there is none.
            "0f 5f61636d652d6368616c6c656e6765 04 686f6d65 c00c 0005 00fe 00000000 0000",
            // TXT, class NONE: delete this value only; then add the other, TTL 10.
            "c021 0010 00fe 00000000 002c 2b",
            &"62".repeat(43),
            "c021 0010 0001 0000000a 002c 2b",
            &"61".repeat(43),
        ];
        let request = update(&zone, &texts).unwrap();
        let octets = request.builder.finish().into_target();
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, expected.concat().replace(' ', ""));
        let other: ZoneName = "example.net".parse().unwrap();
        assert!(update(&other, &texts).is_err());
    }
}
