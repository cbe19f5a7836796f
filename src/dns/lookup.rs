//! What stands in the zone now: signed questions (RFC 1035, RFC 8945) to the listener
//! that takes the updates, so that no cache answers.

use std::fmt;
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::Rtype;

use super::Server;
use super::answer::{Answer, Question, Told};
use super::exchange::ask_by_tcp;
use super::message::{self, MessageError, Signed, WireName};
use super::refusal::{Doubt, Refusal};
use super::reply::{Reply, judge};
use super::transport::Udp;
use super::wait::Wait;
use crate::deadline::Deadline;
use crate::ip::Family;
use crate::name::{RecordName, ZoneName};

/// So many questions at once; more could overflow the buffer their answers wait in.
const AT_ONCE: usize = 64;
/// The longest wait for the first answers.
const FIRST_WAIT: Duration = Duration::from_secs(3);
/// After "nobody listens": a name server that is being restarted.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// What a name server said to several questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// One for each question, in the order asked.
    pub answers: Vec<Answer>,
    /// The zone's serial, where it was asked for.
    pub serial: Option<u32>,
}

/// Why there are no answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// The name server said no.
    Refused(Refusal),
    /// No verified answer to every question.
    NoAnswer(Doubt),
    /// It answers, but not as one who has the zone.
    NotAuthoritative,
    /// Signed by the right key, and not to be understood.
    Garbled,
}

impl LookupError {
    /// What an operator can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            LookupError::Refused(refusal) => refusal.hint(),
            LookupError::NoAnswer(doubt) => doubt.hint(),
            LookupError::NotAuthoritative => Some("the name server does not serve this zone"),
            LookupError::Garbled => None,
        }
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::Refused(refusal) => refusal.fmt(f),
            LookupError::NoAnswer(doubt) => doubt.fmt(f),
            LookupError::NotAuthoritative => {
                f.write_str("the name server is not authoritative for the zone")
            }
            LookupError::Garbled => f.write_str("the name server's answer makes no sense"),
        }
    }
}

impl std::error::Error for LookupError {}

impl From<Refusal> for LookupError {
    fn from(refusal: Refusal) -> Self {
        LookupError::Refused(refusal)
    }
}

impl From<MessageError> for LookupError {
    fn from(error: MessageError) -> Self {
        LookupError::Refused(Refusal::Unsendable(error))
    }
}

/// Asks for the addresses at several names, and for the zone's serial when `serial`.
///
/// All questions go out at once (64 at a time), each signed; those not answered in time
/// once more; what is truncated, or anybody could have sent, is asked for again by TCP. An
/// answer counts when its signature verifies and it is authoritative.
///
/// # Errors
/// The first refusal, or no answer to some question before the deadline.
pub fn lookup<'a>(
    server: &Server,
    zone: &ZoneName,
    questions: &[(&RecordName, Family)],
    serial: bool,
    wait: impl Into<Wait<'a>>,
) -> Result<Answers, LookupError> {
    let zone = message::wire(zone)?;
    let mut pending = Vec::with_capacity(questions.len() + 1);
    for (name, family) in questions {
        pending.push(Question::new(
            message::wire(*name)?,
            message::rtype(*family),
        ));
    }
    if serial {
        pending.push(Question::new(zone.clone(), Rtype::SOA));
    }
    let mut wait = wait.into();
    for chunk in pending.chunks_mut(AT_ONCE) {
        Lookup {
            server,
            zone: &zone,
            wait: &mut wait,
        }
        .ask(chunk)?;
    }
    let mut answers = Answers {
        answers: Vec::with_capacity(questions.len()),
        serial: None,
    };
    for question in pending {
        match question.told {
            Some(Told::Addresses(answer)) => answers.answers.push(answer),
            Some(Told::Serial(serial)) => answers.serial = Some(serial),
            Some(Told::Texts(_)) | None => return Err(LookupError::NoAnswer(Doubt::Silent)),
        }
    }
    Ok(answers)
}

/// Asks for the texts at a name, in the same way.
///
/// # Errors
/// As [`lookup`].
pub fn lookup_texts<'a>(
    server: &Server,
    zone: &ZoneName,
    name: &RecordName,
    wait: impl Into<Wait<'a>>,
) -> Result<Answer<Vec<String>>, LookupError> {
    let mut question = [Question::new(message::wire(name)?, Rtype::TXT)];
    Lookup {
        server,
        zone: &message::wire(zone)?,
        wait: &mut wait.into(),
    }
    .ask(&mut question)?;
    let [question] = question;
    match question.told {
        Some(Told::Texts(answer)) => Ok(answer),
        _ => Err(LookupError::NoAnswer(Doubt::Silent)),
    }
}

/// Where and until when to ask.
struct Lookup<'a, 'w> {
    server: &'a Server,
    zone: &'a WireName,
    wait: &'a mut Wait<'w>,
}

impl Lookup<'_, '_> {
    /// Asks until every question is answered, twice at most.
    fn ask(&mut self, questions: &mut [Question]) -> Result<(), LookupError> {
        let unreachable = |error: std::io::Error| Doubt::Unreachable(error.kind());
        let mut udp = Udp::connect(self.server.address)
            .map_err(unreachable)
            .map_err(LookupError::NoAnswer)?;
        let mut doubt = Doubt::Unreachable(ErrorKind::TimedOut);
        let last = self.wait.deadline();
        let first = last.at_most(FIRST_WAIT.min(last.left() / 2));
        let mut sent = Vec::new();
        for until in [first, last] {
            match self.round(&mut udp, questions, &mut sent, until) {
                Ok(None) => {
                    if sent.len() == questions.len() {
                        udp.keep();
                    }
                    return Ok(());
                }
                Ok(Some(Doubt::Unreachable(kind))) => {
                    doubt = Doubt::Unreachable(kind);
                    thread::sleep(REFUSED_PAUSE.min(last.left()));
                }
                Ok(Some(Doubt::Unverified)) => {
                    return self.again(questions, LookupError::NoAnswer(Doubt::Unverified));
                }
                Ok(Some(other)) => doubt = other,
                Err(LookupError::Refused(refusal)) if refusal.may_be_forged() => {
                    return self.again(questions, refusal.into());
                }
                Err(error) => return Err(error),
            }
            if self.wait.is_over() {
                break;
            }
        }
        Err(LookupError::NoAnswer(doubt))
    }

    /// Sends what is not answered and takes answers in; the doubt when some are missing.
    fn round(
        &mut self,
        udp: &mut Udp,
        questions: &mut [Question],
        sent: &mut Vec<(usize, Signed)>,
        until: Deadline,
    ) -> Result<Option<Doubt>, LookupError> {
        for (position, question) in questions.iter().enumerate() {
            if question.told.is_none() {
                let signed = self.sign(question, sent)?;
                if let Err(error) = udp.send(&signed.octets) {
                    return Ok(Some(Doubt::Unreachable(error.kind())));
                }
                sent.push((position, signed));
            }
        }
        let mut doubt = Doubt::Silent;
        while questions.iter().any(|question| question.told.is_none()) {
            let octets = match udp.receive(until, self.wait) {
                Ok(Some(octets)) => octets,
                Ok(None) => return Ok(Some(doubt)),
                Err(error) => return Ok(Some(Doubt::Unreachable(error.kind()))),
            };
            match judge(octets, sent.iter().map(|(_, signed)| signed)) {
                Reply::Stray => {}
                Reply::Unverified => doubt = Doubt::Unverified,
                Reply::Refused(refusal) => return Err(refusal.into()),
                Reply::Verified(id, message) => {
                    self.wait.heard();
                    let position = sent.iter().find(|(_, signed)| signed.id == id);
                    let question = position.and_then(|(at, _)| questions.get_mut(*at));
                    if let Some(question) = question.filter(|question| question.told.is_none()) {
                        let told = self.take_in(question, &message, sent)?;
                        question.told = Some(told);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Asks by TCP what is not answered, where anybody could have sent what came: see the same of
    /// an UPDATE. That counts where nobody can be asked.
    fn again(&mut self, questions: &mut [Question], said: LookupError) -> Result<(), LookupError> {
        for question in questions {
            if question.told.is_none() {
                match self.by_tcp(question, &[]) {
                    Err(LookupError::NoAnswer(Doubt::Unreachable(_) | Doubt::Broken(_))) => {
                        return Err(said);
                    }
                    told => question.told = Some(told?),
                }
            }
        }
        Ok(())
    }

    /// What a verified message tells; a truncated one is asked for again by TCP.
    fn take_in(
        &mut self,
        question: &Question,
        message: &Message<Vec<u8>>,
        sent: &[(usize, Signed)],
    ) -> Result<Told, LookupError> {
        if !message.header().tc() {
            return question.read(message, self.zone);
        }
        self.by_tcp(question, sent)
    }

    /// Asks one question by TCP.
    fn by_tcp(
        &mut self,
        question: &Question,
        sent: &[(usize, Signed)],
    ) -> Result<Told, LookupError> {
        let signed = self.sign(question, sent)?;
        match ask_by_tcp(self.server, &signed, self.wait) {
            Ok(Reply::Verified(_, message)) => question.read(&message, self.zone),
            Ok(Reply::Refused(refusal)) => Err(refusal.into()),
            Ok(Reply::Unverified | Reply::Stray) => Err(LookupError::NoAnswer(Doubt::Unverified)),
            Err(doubt) => Err(LookupError::NoAnswer(doubt)),
        }
    }

    /// A question signed with an identifier of its own.
    fn sign(&self, question: &Question, sent: &[(usize, Signed)]) -> Result<Signed, MessageError> {
        let request = message::query(&question.name, question.rtype)?;
        request.sign(&self.server.key, |id| {
            sent.iter().any(|(_, signed)| signed.id == id)
        })
    }
}
