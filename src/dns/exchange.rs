//! One UPDATE and its answer: the tries, their pauses, and what may be concluded.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use domain::base::iana::Class;

use super::message::{self, MessageError, Request, Signed};
use super::refusal::{Doubt, Refusal};
use super::reply::{Reply, judge};
use super::transport::{Tcp, Udp};
use super::wait::Wait;
use super::{Server, Swap, Texts, texts};
use crate::deadline::Deadline;
use crate::ip::Family;
use crate::name::{RecordName, ZoneName};

/// Longer messages go by TCP at once.
const UDP_MAX: usize = 1200;
/// Knot may hold an update back for a second; three leave it time to do the work too.
const FIRST_WAIT: Duration = Duration::from_secs(3);
/// The wait for the second datagram.
const SECOND_WAIT: Duration = Duration::from_secs(2);
/// After "nobody listens": a name server that is being restarted.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);
/// After SERVFAIL: until the batch with the bad neighbour is over.
const SERVFAIL_PAUSE: Duration = Duration::from_millis(100);

/// What became of an UPDATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A NOERROR whose signature verified. Whether the records can be seen is another
    /// question: ask with [`super::lookup`].
    Done,
    /// A no: nothing was changed.
    Refused(Refusal),
    /// No verified answer: it may have been applied or still be, see
    /// [`Doubt::may_be_applied`].
    Unconfirmed(Doubt),
}

/// Sends `swaps` as one UPDATE, all or none of them, and waits for the answer.
///
/// By UDP, 3 s; signed again and by UDP, 2 s; then by TCP until the deadline. Over 1200
/// octets by TCP only. SERVFAIL is tried once more. Where nobody listens the answer comes
/// at once. A refusal that anybody could have sent counts when TCP has no other word. Each
/// try carries the prerequisites, so none undoes what came between; after an unanswered
/// first try, [`Refusal::Differs`] may mean that the first one was applied.
pub fn send_update<'a>(
    server: &Server,
    zone: &ZoneName,
    swaps: &[Swap],
    wait: impl Into<Wait<'a>>,
) -> Verdict {
    send(server, message::update(zone, swaps), wait.into())
}

/// Sends `wanted` as one UPDATE, in the same way.
///
/// It may come twice or late and does the same; one that removes, when it comes later than
/// another that adds the same value, takes that away.
pub fn send_texts<'a>(
    server: &Server,
    zone: &ZoneName,
    wanted: &Texts,
    wait: impl Into<Wait<'a>>,
) -> Verdict {
    send(server, texts::update(zone, wanted), wait.into())
}

/// Sends one UPDATE that deletes all addresses at names, whatever they are, in the same way.
///
/// For what no question shows, so that there is nothing to compare with. One that comes late
/// deletes what was added meanwhile.
pub fn send_clearing<'a>(
    server: &Server,
    zone: &ZoneName,
    names: &[&RecordName],
    wait: impl Into<Wait<'a>>,
) -> Verdict {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rrset = |name, family| (name, Class::ANY, message::rtype(family), Vec::new());
    let rrsets = names
        .iter()
        .flat_map(|name| Family::BOTH.map(|family| rrset(name.as_str(), family)));
    send(server, message::deletion(zone, rrsets), wait.into())
}

fn send(server: &Server, request: Result<Request, MessageError>, wait: Wait<'_>) -> Verdict {
    match request {
        Ok(request) => Exchange::new(server, wait).run(&request),
        Err(error) => Verdict::Refused(Refusal::Unsendable(error)),
    }
}

/// How one try went.
enum Try {
    /// A verified success.
    Done,
    /// An error.
    Refused(Refusal),
    /// No answer that counts.
    Doubt(Doubt),
}

impl From<Refusal> for Try {
    fn from(refusal: Refusal) -> Self {
        Try::Refused(refusal)
    }
}

/// A request under way: its tries so far.
struct Exchange<'a, 'w> {
    server: &'a Server,
    /// When to give up.
    wait: Wait<'w>,
    /// Kept open, so that a late answer to the first datagram counts.
    udp: Option<Udp>,
    /// The datagrams so far; an answer to any of them counts.
    sent: Vec<Signed>,
    /// The gravest doubt of a try that may have been applied.
    doubt: Option<Doubt>,
}

impl<'a, 'w> Exchange<'a, 'w> {
    /// Nothing sent yet.
    fn new(server: &'a Server, wait: Wait<'w>) -> Self {
        Exchange {
            server,
            wait,
            udp: None,
            sent: Vec::new(),
            doubt: None,
        }
    }

    /// All tries.
    fn run(mut self, request: &Request) -> Verdict {
        let mut unreachable = Doubt::Late;
        let mut servfail = None;
        // Where there is no wait of its own, it is TCP's turn.
        for wait in [Some(FIRST_WAIT), Some(SECOND_WAIT), None] {
            if self.wait.is_over() {
                break;
            }
            match self.one_try(request, wait) {
                Try::Done => {
                    if let (Some(udp), [_]) = (self.udp, self.sent.as_slice()) {
                        udp.keep();
                    }
                    return Verdict::Done;
                }
                Try::Refused(refusal) if refusal.is_passing() && servfail.is_none() => {
                    servfail = Some(refusal);
                    self.wait.heard();
                    self.pause(SERVFAIL_PAUSE);
                }
                Try::Refused(refusal) => return self.refused(refusal),
                Try::Doubt(doubt) if doubt.may_be_applied() => self.remember(doubt),
                Try::Doubt(doubt) => {
                    unreachable = doubt;
                    self.pause(REFUSED_PAUSE);
                }
            }
        }
        match (self.doubt, servfail) {
            (Some(doubt), _) => Verdict::Unconfirmed(doubt),
            (None, Some(refusal)) => Verdict::Refused(refusal),
            (None, None) => Verdict::Unconfirmed(unreachable),
        }
    }

    /// Signs anew, sends, waits.
    fn one_try(&mut self, request: &Request, wait: Option<Duration>) -> Try {
        let taken = |id| self.sent.iter().any(|signed| signed.id == id);
        let signed = match request.clone().sign(&self.server.key, taken) {
            Ok(signed) => signed,
            Err(error) => return Refusal::Unsendable(error).into(),
        };
        match wait.filter(|_| signed.octets.len() <= UDP_MAX) {
            Some(wait) => {
                self.sent.push(signed);
                match self.by_udp(self.wait.deadline().at_most(wait)) {
                    Try::Refused(refusal) if refusal.may_be_forged() => {
                        self.again(request, refusal)
                    }
                    tried => tried,
                }
            }
            None => self.by_tcp(&signed),
        }
    }

    /// Asks by TCP whether it was the name server that refused. Anybody on this machine may bind
    /// the port of its datagrams too, where it lets others (SO_REUSEADDR, socket(7)), and then
    /// they are theirs; nobody binds one that it listens at.
    fn again(&mut self, request: &Request, refusal: Refusal) -> Try {
        self.udp = None;
        match self.one_try(request, None) {
            Try::Doubt(doubt) => {
                if doubt.may_be_applied() {
                    self.remember(doubt);
                }
                refusal.into()
            }
            tried => tried,
        }
    }

    /// Sends the newest message as a datagram and waits for an answer to any so far.
    fn by_udp(&mut self, until: Deadline) -> Try {
        let unreachable = |error: std::io::Error| Try::Doubt(Doubt::Unreachable(error.kind()));
        let udp = match self
            .udp
            .take()
            .map_or_else(|| Udp::connect(self.server.address), Ok)
        {
            Ok(udp) => self.udp.insert(udp),
            Err(error) => return unreachable(error),
        };
        let newest = self.sent.last().map(|signed| signed.octets.as_slice());
        if let Err(error) = udp.send(newest.unwrap_or_default()) {
            return unreachable(error);
        }
        let mut doubt = Doubt::Silent;
        loop {
            match udp.receive(until, &mut self.wait) {
                Ok(None) => return Try::Doubt(doubt),
                Ok(Some(octets)) => match judge(octets, &self.sent) {
                    Reply::Stray => {}
                    Reply::Unverified => doubt = Doubt::Unverified,
                    Reply::Verified(..) => return Try::Done,
                    Reply::Refused(_, refusal) => return refusal.into(),
                },
                Err(_) if doubt == Doubt::Unverified => return Try::Doubt(doubt),
                Err(error) => return unreachable(error),
            }
        }
    }

    /// Sends a message over a connection of its own.
    fn by_tcp(&mut self, signed: &Signed) -> Try {
        match ask_by_tcp(self.server, signed, &mut self.wait) {
            Ok(Reply::Verified(..)) => Try::Done,
            Ok(Reply::Refused(_, refusal)) => refusal.into(),
            Ok(Reply::Unverified | Reply::Stray) => Try::Doubt(Doubt::Unverified),
            Err(doubt) => Try::Doubt(doubt),
        }
    }

    /// A refusal is the last word only when no earlier try may have been applied, or when
    /// it makes the caller look for itself.
    fn refused(self, refusal: Refusal) -> Verdict {
        match (self.doubt, refusal) {
            (None, refusal) | (_, refusal @ Refusal::Differs(_)) => Verdict::Refused(refusal),
            (Some(_), refusal) => Verdict::Unconfirmed(Doubt::RefusedLater(refusal)),
        }
    }

    /// A false success says more than silence.
    fn remember(&mut self, doubt: Doubt) {
        if self.doubt != Some(Doubt::Unverified) {
            self.doubt = Some(doubt);
        }
    }

    /// Waits, but not beyond the deadline.
    fn pause(&self, pause: Duration) {
        thread::sleep(pause.min(self.wait.deadline().left()));
    }
}

/// One message over a connection of its own: the first answer to it.
pub(super) fn ask_by_tcp(
    server: &Server,
    signed: &Signed,
    wait: &mut Wait<'_>,
) -> Result<Reply, Doubt> {
    let broken = |error: std::io::Error| match error.kind() {
        ErrorKind::TimedOut => Doubt::Silent,
        kind => Doubt::Broken(kind),
    };
    let mut tcp =
        Tcp::connect(server.address, wait).map_err(|error| Doubt::Unreachable(error.kind()))?;
    tcp.send(&signed.octets).map_err(broken)?;
    loop {
        let octets = tcp.receive().map_err(broken)?;
        match judge(&octets, [signed]) {
            Reply::Stray => {}
            reply => return Ok(reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::message::tests::CLOCK_SHIFT;
    use super::*;
    use crate::dns::{Key, LookupError, knot};
    use crate::ip::AddressSet;

    #[test]
    fn a_clock_that_is_off_is_told_with_its_distance() {
        let dir = tempfile::tempdir().unwrap();
        let knot = knot::Knot::start(dir.path(), &knot::Options::default());
        let server = Server {
            address: knot.addr(),
            key: Key::read(knot.key_text()).unwrap(),
        };
        let zone: ZoneName = knot::ZONE.parse().unwrap();
        let name = RecordName::parse("home", &zone).unwrap();
        let swap = Swap {
            name: name.clone(),
            family: Family::Ipv4,
            from: AddressSet::default(),
            to: Some(("203.0.113.7".parse().unwrap(), crate::ttl::Ttl::DEFAULT)),
        };
        for shift in [-7200_i64, 7200] {
            CLOCK_SHIFT.set(shift);
            let deadline = Deadline::after(Duration::from_secs(2));
            let refusal = match send_update(&server, &zone, std::slice::from_ref(&swap), deadline) {
                Verdict::Refused(refusal) => refusal,
                other => panic!("{other:?}"),
            };
            let questions = [(&name, Family::Ipv4)];
            let error = crate::dns::lookup(&server, &zone, &questions, false, deadline);
            assert!(matches!(
                error,
                Err(LookupError::Refused(Refusal::BadTime { .. }))
            ));
            let Refusal::BadTime { skew_seconds } = refusal else {
                panic!("{refusal:?}")
            };
            assert!((skew_seconds + shift).abs() < 3, "{skew_seconds}");
            let side = if shift < 0 {
                "ahead of ours"
            } else {
                "behind ours"
            };
            assert!(refusal.to_string().contains(side), "{refusal}");
        }
        CLOCK_SHIFT.set(290);
        let deadline = Deadline::after(Duration::from_secs(2));
        assert_eq!(
            send_update(&server, &zone, &[swap], deadline),
            Verdict::Done
        );
    }
}
