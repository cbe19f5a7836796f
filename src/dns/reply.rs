//! What one message from the name server's address means (RFC 2136 3, RFC 8945 5.3).

use domain::base::Message;
use domain::base::iana::{Opcode, Rcode, TsigRcode};
use domain::rdata::tsig::Tsig;
use domain::tsig::ValidationError;

use super::message::{Signed, now};
use super::refusal::Refusal;

/// A verdict on one message, and which of ours it answers where it is an answer.
pub(super) enum Reply {
    /// No answer to anything we asked: keep waiting.
    Stray,
    /// A success whose signature is missing or wrong: believe nothing, keep waiting
    /// (RFC 8945 5.3).
    Unverified,
    /// A success that verified. For a question NXDOMAIN is one too.
    Verified(u16, Message<Vec<u8>>),
    /// An error, signed or not.
    Refused(u16, Refusal),
}

/// Judges a message by what was sent.
pub(super) fn judge<'a>(octets: &[u8], sent: impl IntoIterator<Item = &'a Signed>) -> Reply {
    let Ok(mut message) = Message::from_octets(octets.to_vec()) else {
        return Reply::Stray;
    };
    let header = message.header();
    let ours = |signed: &&Signed| signed.id == header.id() && signed.opcode == header.opcode();
    let Some(signed) = sent.into_iter().find(ours).filter(|_| header.qr()) else {
        return Reply::Stray;
    };

    // Read before verifying, which takes the TSIG record off.
    let said = TsigSaid::of(&message);
    let verified = signed.transaction.answer(&mut message, now());
    let rcode = header.rcode();
    let success =
        rcode == Rcode::NOERROR || rcode == Rcode::NXDOMAIN && signed.opcode == Opcode::QUERY;
    match (success, verified) {
        (true, Ok(())) => Reply::Verified(signed.id, message),
        (true, Err(_)) => Reply::Unverified,
        (false, verified) => Reply::Refused(signed.id, refusal(rcode, said, verified)),
    }
}

/// The refusal in an error answer. It counts without a signature too: a name server that
/// does not know the key cannot sign.
fn refusal(rcode: Rcode, said: Option<TsigSaid>, verified: Result<(), ValidationError>) -> Refusal {
    let tsig = said.as_ref().map(|said| said.error);
    // BADTIME is signed, but domain 0.12 hashes the server's time as eight octets
    // where RFC 8945 4.3.3 has six, so the signature of an honest one never verifies.
    if let Some(TsigSaid {
        error: TsigRcode::BADTIME,
        skew: Some(skew_seconds),
    }) = said
    {
        return Refusal::BadTime { skew_seconds };
    }
    match (rcode, verified) {
        (Rcode::NXRRSET | Rcode::YXRRSET, Ok(())) => Refusal::Differs(rcode),
        (_, verified) => Refusal::Rcode {
            rcode,
            tsig: tsig.filter(|error| *error != TsigRcode::NOERROR),
            authenticated: verified.is_ok(),
        },
    }
}

/// What a TSIG record says besides the signature (RFC 8945 4.2).
struct TsigSaid {
    /// The extended RCODE.
    error: TsigRcode,
    /// The server's clock less the one the request was signed by, in seconds.
    skew: Option<i64>,
}

impl TsigSaid {
    /// That of a message, not verified.
    fn of(message: &Message<Vec<u8>>) -> Option<Self> {
        let records = message.additional().ok()?.limit_to::<Tsig<_, _>>();
        let record = records.filter_map(Result::ok).last()?;
        let tsig = record.data();
        let skew = tsig.other_time().and_then(|server| {
            let server = i64::try_from(u64::from(server)).ok()?;
            let client = i64::try_from(u64::from(tsig.time_signed())).ok()?;
            server.checked_sub(client)
        });
        Some(TsigSaid {
            error: tsig.error(),
            skew,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message;
    use crate::dns::{Key, Swap};
    use crate::ip::{AddressSet, Family};
    use crate::name::{RecordName, ZoneName};
    use domain::base::MessageBuilder;
    use domain::tsig::ServerTransaction;
    use proptest::prelude::*;

    /// A signed update, and the true answer to it.
    fn exchanged() -> (Signed, Vec<u8>) {
        let key = Key::generate("bowline").unwrap().0;
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let swap = Swap {
            name: RecordName::parse("home", &zone).unwrap(),
            family: Family::Ipv4,
            from: AddressSet::default(),
            to: None,
        };
        let request = message::update(&zone, &[swap]).unwrap();
        let signed = request.sign(&key, |_| false).unwrap();
        let mut asked = Message::from_octets(signed.octets.clone()).unwrap();
        let transaction = ServerTransaction::request(key.signer(), &mut asked, now());
        let mut builder = MessageBuilder::new_vec()
            .start_answer(&asked, Rcode::NOERROR)
            .unwrap()
            .additional();
        transaction
            .ok()
            .unwrap()
            .unwrap()
            .answer(&mut builder, now())
            .unwrap();
        (signed, builder.finish())
    }

    /// The message without its TSIG record, where the answer verifies.
    fn verified(octets: &[u8], signed: &Signed) -> Option<Vec<u8>> {
        match judge(octets, [signed]) {
            Reply::Verified(_, message) => {
                let additional = message.additional().unwrap();
                Some(message.as_slice()[..additional.pos()].to_vec())
            }
            _ => None,
        }
    }

    #[test]
    fn only_what_was_signed_verifies() {
        let (signed, answer) = exchanged();
        let truth = verified(&answer, &signed).expect("the true answer");
        let (other, _) = exchanged();
        assert!(verified(&answer, &other).is_none());
        for at in 0..answer.len() {
            assert!(verified(&answer[..at], &signed).is_none(), "{at} octets");
            for bit in 0..8 {
                let mut bent = answer.clone();
                bent[at] ^= 1 << bit;
                // The case of the key's name, and class and TTL of the TSIG record, are
                // not signed; they say nothing either.
                if let Some(message) = verified(&bent, &signed) {
                    assert_eq!(message, truth, "octet {at}, bit {bit}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(
            start in 0..200usize,
            noise in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let (signed, mut answer) = exchanged();
            answer.truncate(start.min(answer.len() - 8));
            answer.extend(noise);
            prop_assert!(verified(&answer, &signed).is_none());
        }
    }
}
