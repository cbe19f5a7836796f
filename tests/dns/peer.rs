//! A name server of a few lines, that answers what a test wants.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bowline::dns::{Answers, Key, LookupError, Rcode, Server, Verdict, lookup, send_update};
use domain::base::{Message, MessageBuilder, UnknownRecordData};
use domain::rdata::tsig::Time48;
use domain::tsig::{self, ClientTransaction, KeyName, ServerTransaction};

use crate::common::{in_seconds, record, swap, zone};

/// So many seconds no answer takes, on however busy a machine.
const LONG: u64 = 20;
/// The secret all peers know.
const SECRET: [u8; 32] = [7; 32];

/// A peer on UDP; it ends when dropped.
pub(crate) struct Peer {
    pub(crate) server: Server,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// One that answers the n-th datagram (from 0) with these, in order.
    pub(crate) fn start(answers: impl Fn(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        Peer::on(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), answers)
    }

    /// Likewise, on a socket that is bound already.
    pub(crate) fn on(
        socket: UdpSocket,
        answers: impl Fn(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let server = server(socket.local_addr().unwrap());
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::spawn(move || {
            let (mut buffer, mut count) = ([0; 4096], 0);
            while !ended.load(Ordering::Relaxed) {
                if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    for answer in answers(count, &buffer[..length]) {
                        socket.send_to(&answer, from).unwrap();
                    }
                    count += 1;
                }
            }
        });
        Peer {
            server,
            end,
            thread: Some(thread),
        }
    }

    /// What becomes of one new address; there must be an answer that counts.
    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict_within(LONG)
    }

    /// Likewise within so many seconds, which pass where no answer counts.
    pub(crate) fn verdict_within(&self, seconds: u64) -> Verdict {
        let swaps = [swap("home", "", "203.0.113.7")];
        send_update(&self.server, &zone(), &swaps, in_seconds(seconds))
    }

    /// What becomes of a question; there must be an answer that counts.
    pub(crate) fn lookup(&self) -> Result<Answers, LookupError> {
        self.lookup_within(LONG)
    }

    /// Likewise within so many seconds, which pass where no answer counts.
    pub(crate) fn lookup_within(&self, seconds: u64) -> Result<Answers, LookupError> {
        let home = record("home");
        let questions = [(&home, bowline::ip::Family::Ipv4)];
        lookup(
            &self.server,
            &zone(),
            &questions,
            false,
            in_seconds(seconds),
        )
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The client's view of a peer.
pub(crate) fn server(address: SocketAddr) -> Server {
    let secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    Server {
        address,
        key: Key::read(&format!("bowline:{secret}")).unwrap(),
    }
}

/// An answer without a signature.
pub(crate) fn unsigned(request: &[u8], rcode: Rcode) -> Vec<u8> {
    let mut answer = vec![request[0], request[1], request[2] | 0x80, rcode.to_int()];
    answer.extend([0; 8]);
    answer
}

/// An answer signed with the right key by a clock so many seconds off.
pub(crate) fn signed_at(request: &[u8], rcode: Rcode, shift: i64) -> Vec<u8> {
    let now = u64::from(Time48::now()).checked_add_signed(shift).unwrap();
    let mut message = Message::from_octets(request.to_vec()).unwrap();
    let key = library_key(&SECRET);
    match ServerTransaction::request(&key, &mut message, Time48::from_u64(now)) {
        Ok(transaction) => {
            let builder = MessageBuilder::new_vec()
                .start_answer(&message, rcode)
                .unwrap();
            let mut builder = builder.additional();
            transaction
                .unwrap()
                .answer(&mut builder, Time48::now())
                .unwrap();
            builder.finish()
        }
        Err(error) => {
            let builder = MessageBuilder::new_vec();
            error.build_message(&message, builder).unwrap().finish()
        }
    }
}

/// A signed answer to a question, authoritative or not, with one record of the type asked for.
pub(crate) fn told(request: &[u8], authoritative: bool, data: &[u8]) -> Vec<u8> {
    let mut message = Message::from_octets(request.to_vec()).unwrap();
    let now = Time48::now();
    let transaction = ServerTransaction::request(&library_key(&SECRET), &mut message, now);
    let builder = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR);
    let mut builder = builder.unwrap();
    builder.header_mut().set_aa(authoritative);
    let question = message.sole_question().unwrap();
    let data = UnknownRecordData::from_octets(question.qtype(), data).unwrap();
    builder.push((question.into_qname(), 60, data)).unwrap();
    let mut builder = builder.additional();
    transaction
        .ok()
        .unwrap()
        .unwrap()
        .answer(&mut builder, now)
        .unwrap();
    builder.finish()
}

/// An answer signed with another secret under the right name.
pub(crate) fn forged(request: &[u8], rcode: Rcode) -> Vec<u8> {
    let message = Message::from_octets(request.to_vec()).unwrap();
    let builder = MessageBuilder::new_vec()
        .start_answer(&message, rcode)
        .unwrap();
    let mut builder = builder.additional();
    let key = library_key(&[8; 32]);
    ClientTransaction::request(key, &mut builder, Time48::now()).unwrap();
    builder.finish()
}

/// The key `bowline` with a secret, as the library has it.
fn library_key(secret: &[u8]) -> tsig::Key {
    let name: KeyName = "bowline".parse().unwrap();
    tsig::Key::new(tsig::Algorithm::Sha256, secret, name, None, None).unwrap()
}

/// A signed answer as it should be.
pub(crate) fn signed(request: &[u8], rcode: Rcode) -> Vec<u8> {
    signed_at(request, rcode, 0)
}

/// Takes one connection, reads one message, answers with octets made from it, and closes.
pub(crate) fn tcp_peer(
    answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
) -> (Server, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = server(listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Before the connection ends: whoever tries again then finds nobody.
        drop(listener);
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut message).unwrap();
        for octet in answer(&message) {
            stream.write_all(&[octet]).unwrap();
        }
    });
    (server, thread)
}

/// A message with its length in front.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(message.len()).unwrap().to_be_bytes(),
        message,
    ]
    .concat()
}
