//! What stands in the zone now: signed questions (RFC 1035, RFC 8945) to the listener
//! that takes the updates, so that no cache answers.

use std::fmt;
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::Rtype;

use super::Server;
use super::answer::{Answer, Question, Said, Told};
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
    /// One for each question, in the order asked; or why there is none to this one, while others
    /// were answered.
    pub answers: Vec<Result<Answer, LookupError>>,
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
/// The first refusal, where no question was answered, or that of the question for the serial; or
/// no answer to some question before the deadline.
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
            Some(Ok(Told::Addresses(answer))) => answers.answers.push(Ok(answer)),
            Some(Ok(Told::Serial(serial))) => answers.serial = Some(serial),
            Some(Err(error)) if question.rtype == Rtype::SOA => return Err(error),
            Some(Err(error)) => answers.answers.push(Err(error)),
            Some(Ok(Told::Texts(_))) | None => return Err(LookupError::NoAnswer(Doubt::Silent)),
        }
    }
    // What is said to every question is not said of one name.
    let none = !serial && answers.answers.iter().all(Result::is_err);
    match answers.answers.first() {
        Some(Err(error)) if none => Err(error.clone()),
        _ => Ok(answers),
    }
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
        Some(Ok(Told::Texts(answer))) => Ok(answer),
        Some(Err(error)) => Err(error),
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
                    return self.again(questions);
                }
                Ok(Some(Doubt::Unreachable(kind))) => {
                    doubt = Doubt::Unreachable(kind);
                    thread::sleep(REFUSED_PAUSE.min(last.left()));
                }
                Ok(Some(Doubt::Unverified)) => {
                    return self.again(questions);
                }
                Ok(Some(other)) => doubt = other,
                Err(error) => return Err(error),
            }
            if self.wait.is_over() {
                break;
            }
        }
        Err(LookupError::NoAnswer(doubt))
    }

    /// Sends what is not answered and takes answers in; the doubt when some are missing.
    ///
    /// A refusal is of the one question: the name may be delegated to a zone that is not loaded.
    fn round(
        &mut self,
        udp: &mut Udp,
        questions: &mut [Question],
        sent: &mut Vec<(usize, Signed)>,
        until: Deadline,
    ) -> Result<Option<Doubt>, LookupError> {
        for (position, question) in questions.iter().enumerate() {
            if question.is_open() {
                let signed = self.sign(question, sent)?;
                if let Err(error) = udp.send(&signed.octets) {
                    return Ok(Some(Doubt::Unreachable(error.kind())));
                }
                sent.push((position, signed));
            }
        }
        let mut doubt = Doubt::Silent;
        while questions.iter().any(Question::is_open) {
            let octets = match udp.receive(until, self.wait) {
                Ok(Some(octets)) => octets,
                Ok(None) => return Ok(Some(doubt)),
                Err(error) => return Ok(Some(Doubt::Unreachable(error.kind()))),
            };
            match judge(octets, sent.iter().map(|(_, signed)| signed)) {
                Reply::Stray => {}
                Reply::Unverified => doubt = Doubt::Unverified,
                Reply::Refused(id, refusal) => {
                    if let Some(question) = unanswered(questions, sent, id) {
                        match refusal.may_be_forged() {
                            true => question.said = Some(refusal),
                            false => question.told = Some(Err(refusal.into())),
                        }
                    }
                }
                Reply::Verified(id, message) => {
                    self.wait.heard();
                    if let Some(question) = unanswered(questions, sent, id) {
                        let told = self.take_in(question, &message, sent);
                        question.told = Some(told.map_err(LookupError::NoAnswer)?);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Asks by TCP what is not answered, where anybody could have sent what came: see the same of
    /// an UPDATE. That counts where nobody can be asked.
    fn again(&mut self, questions: &mut [Question]) -> Result<(), LookupError> {
        for question in questions {
            if question.told.is_some() {
                continue;
            }
            let told = match (self.by_tcp(question, &[]), question.said.take()) {
                (Ok(told), _) => told,
                (Err(Doubt::Unreachable(_) | Doubt::Broken(_)), said) => {
                    let unverified = LookupError::NoAnswer(Doubt::Unverified);
                    Err(said.ok_or(unverified)?.into())
                }
                (Err(doubt), _) => return Err(LookupError::NoAnswer(doubt)),
            };
            question.told = Some(told);
        }
        Ok(())
    }

    /// What a verified message tells; a truncated one is asked for again by TCP.
    fn take_in(
        &mut self,
        question: &Question,
        message: &Message<Vec<u8>>,
        sent: &[(usize, Signed)],
    ) -> Result<Said, Doubt> {
        match message.header().tc() {
            true => self.by_tcp(question, sent),
            false => Ok(question.read(message, self.zone)),
        }
    }

    /// Asks one question by TCP.
    fn by_tcp(&mut self, question: &Question, sent: &[(usize, Signed)]) -> Result<Said, Doubt> {
        let signed = match self.sign(question, sent) {
            Ok(signed) => signed,
            Err(error) => return Ok(Err(error.into())),
        };
        match ask_by_tcp(self.server, &signed, self.wait) {
            Ok(Reply::Verified(_, message)) => Ok(question.read(&message, self.zone)),
            Ok(Reply::Refused(_, refusal)) => Ok(Err(refusal.into())),
            Ok(Reply::Unverified | Reply::Stray) => Err(Doubt::Unverified),
            Err(doubt) => Err(doubt),
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

/// The question that was sent with that identifier, while nothing that is signed has come to it.
fn unanswered<'q>(
    questions: &'q mut [Question],
    sent: &[(usize, Signed)],
    id: u16,
) -> Option<&'q mut Question> {
    let (position, _) = sent.iter().find(|(_, signed)| signed.id == id)?;
    let question = questions.get_mut(*position);
    question.filter(|question| question.told.is_none())
}
