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
    Refused(Refusal),
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
        (false, verified) => Reply::Refused(refusal(rcode, said, verified)),
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
