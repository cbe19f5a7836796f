//! What the name server says no to, and what the operator hears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bowline::dns::{Key, Rcode, Refusal, Server, TsigRcode, Verdict};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketType, bind, socket};

use crate::common::{Bench, bench, bench_with, found, look, send, swap};
use crate::peer::{Peer, unsigned};
use crate::support::knot::{Options, ZONE};
use crate::support::stopwatch::Stopwatch;

/// Sends one new address to a bench as somebody with `key`; nothing may have come of it.
fn refused(bench: &Bench, key: Key) -> Refusal {
    let server = Server {
        address: bench.server.address,
        key,
    };
    let verdict = send(&server, &[swap("home", "", "203.0.113.7")]);
    assert!(bench.knot.kdig(&format!("home.{ZONE}"), "A").is_empty());
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The parts of an ordinary refusal.
fn parts(refusal: &Refusal) -> (Rcode, Option<TsigRcode>, bool) {
    match refusal {
        Refusal::Rcode {
            rcode,
            tsig,
            authenticated,
        } => (*rcode, *tsig, *authenticated),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_secret_unknown_key_other_algorithm() {
    let bench = bench(&[]);
    let other_secret = Key::generate("bowline").unwrap().0;
    let refusal = refused(&bench, other_secret.clone());
    assert_eq!(
        parts(&refusal),
        (Rcode::NOTAUTH, Some(TsigRcode::BADSIG), false)
    );
    assert_eq!(
        refusal.to_string(),
        "the name server refused: NOTAUTH, BADSIG (not signed)"
    );
    assert!(refusal.hint().unwrap().contains("secret"));

    let unknown = refused(&bench, Key::generate("nobody").unwrap().0);
    let sha512 = bench.knot.key_text().lines().next().unwrap();
    let sha512 = sha512.trim_start_matches("# ").replace("sha256", "sha512");
    let algorithm = refused(&bench, Key::read(&sha512).unwrap());
    for refusal in [unknown, algorithm] {
        let (rcode, _, authenticated) = parts(&refusal);
        assert_eq!((rcode, authenticated), (Rcode::NOTAUTH, false), "{refusal}");
        assert!(refusal.hint().unwrap().contains("algorithm"));
    }

    let server = Server {
        address: bench.server.address,
        key: other_secret,
    };
    let error = look(&server, "home").unwrap_err();
    assert!(error.to_string().contains("BADSIG"), "{error}");
}

#[test]
fn what_the_acl_denies() {
    let bench = bench_with(&Options {
        types: "TXT".into(),
        ..Options::default()
    });
    let (rcode, _, authenticated) = parts(&refused(&bench, bench.server.key.clone()));
    assert_eq!((rcode, authenticated), (Rcode::NOTAUTH, false));
}

#[test]
fn a_zone_that_is_not_loaded() {
    let bench = bench_with(&Options {
        loaded: false,
        ..Options::default()
    });
    let verdict = bench.send(&[swap("home", "", "203.0.113.7")]);
    let Verdict::Refused(refusal) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(parts(&refusal).0, Rcode::SERVFAIL);
    assert!(refusal.hint().unwrap().contains("loaded"));
    let error = bench.look("home").unwrap_err();
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
}

#[test]
fn a_zone_that_is_not_served() {
    let bench = bench(&[]);
    let zone = "dyn.example.net".parse().unwrap();
    let name = bowline::name::RecordName::parse("home", &zone).unwrap();
    let swap = bowline::dns::Swap {
        name: name.clone(),
        ..swap("home", "", "203.0.113.7")
    };
    let deadline = crate::common::in_seconds(20);
    let verdict =
        bowline::dns::send_update(&bench.server, &zone, std::slice::from_ref(&swap), deadline);
    let Verdict::Refused(refusal) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(parts(&refusal).0, Rcode::NOTAUTH);

    let questions = [(&name, bowline::ip::Family::Ipv4)];
    let error = bowline::dns::lookup(&bench.server, &zone, &questions, false, deadline);
    assert!(
        matches!(error, Err(bowline::dns::LookupError::Refused(_))),
        "{error:?}"
    );
}

#[test]
fn a_frozen_zone() {
    let bench = bench(&[]);
    bench.knot.freeze();
    let watch = Stopwatch::start();
    let deadline = crate::common::in_seconds(1);
    let swaps = [swap("home", "", "203.0.113.7")];
    let zone = crate::common::zone();
    // REFUSED before Knot 3.4, no answer until the thaw from then on.
    match bowline::dns::send_update(&bench.server, &zone, &swaps, deadline) {
        Verdict::Refused(refusal) => assert_eq!(parts(&refusal).0, Rcode::REFUSED),
        Verdict::Unconfirmed(doubt) => assert!(doubt.may_be_applied()),
        Verdict::Done => panic!("done"),
    }
    let took = watch.took();
    assert!(took.own.as_secs() < 2, "{took:?}");
}

#[test]
fn a_swap_that_makes_no_sense_is_never_sent() {
    let server = crate::common::server_at(([127, 0, 0, 1], 9).into());
    let other_zone = "dyn.example.net".parse().unwrap();
    let foreign = bowline::name::RecordName::parse("home", &other_zone).unwrap();
    let cases = [
        vec![
            swap("home", "", "203.0.113.7"),
            swap("home", "", "203.0.113.8"),
        ],
        vec![bowline::dns::Swap {
            name: foreign,
            ..swap("home", "", "203.0.113.7")
        }],
        vec![bowline::dns::Swap {
            family: bowline::ip::Family::Ipv6,
            ..swap("home", "", "203.0.113.7")
        }],
    ];
    for swaps in cases {
        let verdict = send(&server, &swaps);
        assert!(
            matches!(verdict, Verdict::Refused(Refusal::Unsendable(_))),
            "{verdict:?}"
        );
    }
}

#[test]
fn any_algorithm_and_a_key_named_below_the_zone() {
    for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
        let key = format!("home.{ZONE}");
        let options = Options {
            key,
            algorithm: algorithm.into(),
            ..Options::default()
        };
        let bench = bench_with(&options);
        assert_eq!(bench.server.key.algorithm().as_str(), algorithm);
        assert_eq!(
            bench.send(&[swap("home", "", "203.0.113.7")]),
            Verdict::Done,
            "{algorithm}"
        );
        assert_eq!(
            bench.knot.kdig(&format!("home.{ZONE}"), "A"),
            ["203.0.113.7"]
        );
    }
}

/// Knot lets anybody bind the port of its datagrams too, and who binds it last gets them.
#[test]
fn who_takes_the_datagrams_away_holds_nothing_up() {
    let bench = bench(&[]);
    let address = bench.server.address;
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
    set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &address).unwrap();
    let taken = Arc::new(AtomicBool::new(false));
    let lies = Arc::new(AtomicBool::new(false));
    let (takes, lying) = (Arc::clone(&taken), Arc::clone(&lies));
    let thief = Peer::on(socket.into(), move |n, request| {
        takes.store(true, Ordering::Relaxed);
        let rcodes = [Rcode::NXRRSET, Rcode::NOTAUTH, Rcode::SERVFAIL];
        vec![match lying.load(Ordering::Relaxed) {
            true => unsigned(request, Rcode::NXDOMAIN),
            false => unsigned(request, rcodes[n % rcodes.len()]),
        }]
    });
    let mut before = "";
    for address in ["203.0.113.7", "203.0.113.8", "203.0.113.9"] {
        let verdict = bench.send(&[swap("home", before, address)]);
        assert_eq!(verdict, Verdict::Done);
        assert_eq!(bench.look("home").unwrap().answers[0], found(address));
        before = address;
    }
    lies.store(true, Ordering::Relaxed);
    assert_eq!(bench.look("home").unwrap().answers[0], found(before));
    drop(thief);
    assert!(taken.load(Ordering::Relaxed), "they are not taken away");
    assert_eq!(bench.knot.kdig(&format!("home.{ZONE}"), "A"), [before]);
}
