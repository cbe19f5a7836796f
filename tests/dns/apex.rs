//! Answers about a zone that fit no datagram.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use bowline::config::{Config, Zone};
use bowline::dns::apex::{Reply, ask};
use bowline::dns::{Rcode, Rtype};
use bowline::setup::parent::{Ds, ds};

use crate::common::{Bench, bench, zone};
use crate::peer::{Peer, framed, tcp_peer};

/// A name server with `count` keys that the parent is to vouch for, RSA of 4096 bits.
fn with_keys(count: usize) -> Bench {
    let keys = ["a", "b", "c", "d"].into_iter().take(count);
    let keys: Vec<String> = keys
        .map(|letter| format!("@ 3600 DNSKEY 257 3 8 AwEA{}", letter.repeat(680)))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    bench(&keys)
}

/// The zone as it is configured where `server` serves it.
fn configured(server: SocketAddr) -> Zone {
    let text = format!(
        "url = \"https://update.example.org\"\n[[zone]]\nname = \"dyn.example.org\"\n\
         server = \"{server}\"\nkey_file = \"tsig.key\"\n"
    );
    let config = Config::parse(Path::new("/etc/bowline/bowline.toml"), &text).unwrap();
    config.zones.into_iter().next().unwrap()
}

#[test]
fn keys_of_every_size_are_read() {
    // Within 512 octets are none; 1232 are asked for, two keys fit, four do not.
    for count in [0, 1, 2, 4] {
        let bench = with_keys(count);
        let server = bench.server.address;
        let wait = Duration::from_secs(5);
        match ask(server, &zone(), Rtype::DNSKEY, wait) {
            Reply::Data(keys) => assert_eq!(keys.len(), count),
            other => assert_eq!((other, count), (Reply::No, 0)),
        }
        // Its own server answers for the parent here: the NS are known.
        match ds(&configured(server), true, Some(server)) {
            Ds::Enter(records) => assert_eq!(records.len(), count),
            Ds::NotYet(why) => assert!(count == 0 && why.contains("no keys yet"), "{why}"),
            other @ (Ds::Unsigned | Ds::Entered(_)) => panic!("{count} keys: {other:?}"),
        }
    }
}

#[test]
fn who_refuses_or_could_not_find_out_has_not_said_that_there_is_none() {
    let ask = |rtype, rcode: Rcode| {
        let peer = Peer::start(move |_, request| {
            let mut answer = request.to_vec();
            (answer[2], answer[3]) = (answer[2] | 0x80, rcode.to_int());
            vec![answer]
        });
        ask(peer.server.address, &zone(), rtype, Duration::from_secs(5))
    };
    for rcode in [Rcode::NOERROR, Rcode::NXDOMAIN] {
        for rtype in [Rtype::NS, Rtype::DS, Rtype::SOA] {
            assert_eq!(ask(rtype, rcode), Reply::No, "{rtype} {rcode}");
        }
    }
    for rcode in [Rcode::SERVFAIL, Rcode::REFUSED] {
        for rtype in [Rtype::NS, Rtype::DS] {
            assert_eq!(ask(rtype, rcode), Reply::Silence, "{rtype} {rcode}");
        }
        assert_eq!(ask(Rtype::SOA, rcode), Reply::No, "{rcode}");
    }
}

#[test]
fn a_zone_about_to_be_unsigned_gets_no_ds() {
    let bench = bench(&["@ 3600 CDS 0 0 0 00"]);
    let server = bench.server.address;
    assert_eq!(ds(&configured(server), true, Some(server)), Ds::Unsigned);
}

#[test]
fn a_ds_of_every_size_is_there() {
    let digest = |number: usize| format!("{number:02x}").repeat(32);
    let records = (0..40).map(|number| format!("@ 3600 DS 1 13 2 {}", digest(number)));
    let records: Vec<String> = records.collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let bench = bench(&records);
    let answer = ask(
        bench.server.address,
        &zone(),
        Rtype::DS,
        Duration::from_secs(5),
    );
    assert!(
        matches!(&answer, Reply::Data(ds) if ds.len() == 40),
        "{answer:?}"
    );
}

#[test]
fn half_an_answer_is_none() {
    // QR and TC, and nobody who answers by TCP.
    let peer = Peer::start(|_, question| {
        let mut answer = question.to_vec();
        answer[2] |= 0x82;
        vec![answer]
    });
    for rtype in [Rtype::DNSKEY, Rtype::DS, Rtype::NS] {
        let answer = ask(peer.server.address, &zone(), rtype, Duration::from_secs(1));
        assert_eq!(answer, Reply::Silence, "{rtype}");
    }
}

/// `question` as an answer, with octets changed: where, and what is added to them.
fn answer(question: &[u8], changed: &[(usize, u8)]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] |= 0x80;
    for (at, by) in changed {
        answer[*at] ^= by;
    }
    answer
}

#[test]
fn what_answers_another_question_is_passed_over() {
    const REFUSED: (usize, u8) = (3, 5);
    // Another identifier, no answer at all, another name; then the true one.
    let peer = Peer::start(|_, question| {
        let others = [(1, 1), (2, 0x80), (13, 1)];
        let others = others.map(|other| answer(question, &[other, REFUSED]));
        [&others[..], &[answer(question, &[])]].concat()
    });
    let reply = ask(
        peer.server.address,
        &zone(),
        Rtype::DS,
        Duration::from_secs(5),
    );
    assert_eq!(reply, Reply::No);
}

#[test]
fn what_answers_another_question_by_tcp_is_no_answer() {
    for (changed, expected) in [
        (&[][..], Reply::No),
        (&[(1, 1)], Reply::Silence),
        (&[(13, 1)], Reply::Silence),
    ] {
        let (server, thread) = tcp_peer(move |question| framed(&answer(question, changed)));
        // By UDP: too long.
        let too_long = UdpSocket::bind(server.address).unwrap();
        let peer = Peer::on(too_long, |_, question| vec![answer(question, &[(2, 2)])]);
        let reply = ask(
            peer.server.address,
            &zone(),
            Rtype::DS,
            Duration::from_secs(5),
        );
        assert_eq!(reply, expected, "{changed:?}");
        thread.join().unwrap();
    }
}
