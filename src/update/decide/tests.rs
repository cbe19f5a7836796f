//! Decisions for every kind of request, host and client.

use super::super::Lan;
use super::*;

fn asked(addresses: &str, remove: &[Family]) -> Asked {
    Asked {
        addresses: addresses
            .split(',')
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
            .collect(),
        remove: remove.to_vec(),
        ..Asked::default()
    }
}

fn shown(decision: Result<Decision, Undecidable>) -> String {
    match decision {
        Ok(Decision {
            set,
            remove,
            dropped,
        }) => {
            let remove: String = remove.iter().map(|family| format!(" -{family}")).collect();
            let dropped = dropped.map(|dropped| format!(" dropped {}", dropped.kind));
            format!("{set}{remove}{}", dropped.unwrap_or_default())
        }
        Err(Undecidable::Unpublishable(unpublishable)) => {
            format!("badip {}", unpublishable.kind)
        }
        Err(Undecidable::Client(kind)) => format!("badip client {kind}"),
        Err(Undecidable::OtherFamily) => "badip family".to_owned(),
        Err(Undecidable::ClientUnknown) => "911".to_owned(),
    }
}

#[test]
fn table() {
    use Family::{Ipv4, Ipv6};
    const V4: &str = "198.51.100.4";
    const V6: &str = "2001:db8:c::4";
    for (name, given, remove, client, only, expected) in [
        ("nothing/client-v4", "", &[][..], V4, None, "198.51.100.4"),
        ("nothing/client-v6", "", &[], V6, None, "2001:db8:c::4"),
        ("nothing/client-unknown", "", &[], "", None, "911"),
        (
            "nothing/client-private",
            "",
            &[],
            "192.168.1.1",
            None,
            "badip client private",
        ),
        (
            "bad/the-client's",
            "192.168.1.1",
            &[],
            "::ffff:192.168.1.1",
            None,
            "badip client private",
        ),
        (
            "nothing/client-loopback",
            "",
            &[],
            "127.0.0.1",
            None,
            "badip client loopback",
        ),
        (
            "one/other-kept",
            "203.0.113.7",
            &[],
            V6,
            None,
            "203.0.113.7",
        ),
        (
            "one/client-unknown",
            "203.0.113.7",
            &[],
            "",
            None,
            "203.0.113.7",
        ),
        (
            "both",
            "203.0.113.7,2001:db8::1",
            &[],
            V4,
            None,
            "203.0.113.7,2001:db8::1",
        ),
        (
            "one-bad/other-good",
            "192.168.1.1,2001:db8::1",
            &[],
            V4,
            None,
            "2001:db8::1 dropped private",
        ),
        (
            "both-bad",
            "192.168.1.1,fe80::1",
            &[],
            V4,
            None,
            "badip link-local",
        ),
        (
            "bad/never-the-client's",
            "10.0.0.1",
            &[],
            V4,
            None,
            "badip private",
        ),
        (
            "only/other-not-given",
            "203.0.113.7,2001:db8::1",
            &[],
            V4,
            Some(Ipv6),
            "2001:db8::1",
        ),
        (
            "only/client",
            "2001:db8::1",
            &[],
            V4,
            Some(Ipv4),
            "198.51.100.4",
        ),
        (
            "only/client-of-the-other",
            "2001:db8::1",
            &[],
            V6,
            Some(Ipv4),
            "badip family",
        ),
        (
            "only/bad-of-the-other",
            "203.0.113.7,fe80::1",
            &[],
            V4,
            Some(Ipv4),
            "203.0.113.7",
        ),
        ("remove/all", "", &[Ipv4, Ipv6], V4, None, " -ipv4 -ipv6"),
        (
            "only/remove-all",
            "",
            &[Ipv4, Ipv6],
            V4,
            Some(Ipv4),
            " -ipv4",
        ),
        (
            "remove/one-set-other",
            "203.0.113.7",
            &[Ipv6],
            V4,
            None,
            "203.0.113.7 -ipv6",
        ),
        (
            "remove/given-too",
            "203.0.113.7",
            &[Ipv4],
            V4,
            None,
            "203.0.113.7",
        ),
    ] {
        let decision = decide(
            &asked(given, remove),
            client.parse().ok(),
            only,
            Policy::Public,
        );
        assert_eq!(shown(decision), expected, "{name}");
    }
    let private = decide(&asked("192.168.1.1", &[]), None, None, Policy::Private);
    assert_eq!(shown(private), "192.168.1.1", "allow-private");
}

#[test]
fn an_omitted_family_may_be_removed() {
    for (name, given, only, expected) in [
        ("one", "203.0.113.7", None, "203.0.113.7 -ipv6"),
        (
            "both",
            "203.0.113.7,2001:db8::1",
            None,
            "203.0.113.7,2001:db8::1",
        ),
        ("nothing/other-kept", "", None, "198.51.100.4"),
        ("bad", "10.0.0.1", None, "badip private"),
        (
            "bad-and-good",
            "203.0.113.7,fe80::1",
            None,
            "203.0.113.7 -ipv6 dropped link-local",
        ),
        (
            "only/other-not-given",
            "2001:db8::1",
            Some(Family::Ipv4),
            "198.51.100.4",
        ),
    ] {
        let asked = Asked {
            omitted: Omitted::Remove,
            ..asked(given, &[])
        };
        let client = "198.51.100.4".parse().ok();
        let decision = decide(&asked, client, only, Policy::Public);
        assert_eq!(shown(decision), expected, "{name}");
    }
    // What gives no address omits none: its own records stay.
    let removing = Omitted::Remove;
    let prefix = Asked {
        omitted: removing,
        lan: Some(Lan::Gone),
        ..asked("", &[])
    };
    let one = Asked {
        omitted: removing,
        ..asked("", &[Family::Ipv4])
    };
    for (asked, expected) in [(prefix, ""), (one, " -ipv4")] {
        let decision = decide(&asked, None, None, Policy::Public);
        assert_eq!(shown(decision), expected);
    }
}

#[test]
fn a_scoped_address_of_the_family_that_the_host_does_not_have_is_none() {
    let asked = Asked {
        scoped: Some(Unpublishable {
            address: "fe80::1".parse().unwrap(),
            kind: "scoped",
        }),
        ..asked("", &[])
    };
    let client = "198.51.100.4".parse().ok();
    for (only, expected) in [
        (Some(Family::Ipv4), "198.51.100.4"),
        (Some(Family::Ipv6), "badip scoped"),
        (None, "badip scoped"),
    ] {
        let decision = decide(&asked, client, only, Policy::Public);
        assert_eq!(shown(decision), expected, "{only:?}");
    }
}

#[test]
fn a_prefix_alone_does_not_mean_the_clients_address() {
    let asked = Asked {
        lan: Some(Lan::Gone),
        ..asked("", &[])
    };
    let client = "2001:db8:c::4".parse().ok();
    let decision = decide(&asked, client, None, Policy::Public);
    assert_eq!(shown(decision), "");
    let private = Asked {
        addresses: "192.168.1.1".parse().into_iter().collect(),
        ..asked
    };
    let decision = decide(&private, client, None, Policy::Public);
    assert_eq!(shown(decision), " dropped private");
}

#[test]
fn applied_to_what_was_there() {
    let before = asked("203.0.113.1,2001:db8::1", &[]).addresses;
    let decision = Decision {
        set: asked("203.0.113.7", &[]).addresses,
        ..Decision::default()
    };
    assert_eq!(
        decision.apply(before).to_string(),
        "203.0.113.7,2001:db8::1"
    );
    let decision = Decision {
        remove: vec![Family::Ipv6],
        ..decision
    };
    assert_eq!(decision.apply(before).to_string(), "203.0.113.7");
}

#[test]
fn a_refused_client_is_told_of_in_a_sentence() {
    let client: IpAddr = "::192.0.2.1".parse().unwrap();
    let refused = PublicAddress::new(client, Policy::Public).unwrap_err();
    assert_eq!(
        Undecidable::because_of(refused, Some(client)).to_string(),
        "the client's address is an IPv4-compatible address and cannot be published"
    );
}
