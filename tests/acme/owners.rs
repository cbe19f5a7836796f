//! Challenges asked with an owner's token: for every host of the owner's, and for no other.

use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::token::Token;

use super::between::bowline;
use super::place::{Place, basic, httpreq, value};
use super::support::site::Home;
use super::support::visit::Response;

/// Anna with `home`, `nas` and `fixed`, which is static; `bens` is Ben's, and `other` is nobody's.
struct Owned {
    place: Place,
    anna: Token,
    home: Home,
}

impl Owned {
    fn new() -> Self {
        let place = Place::new();
        let mut tokens = Vec::new();
        for owner in ["anna", "ben"] {
            let token = place.token();
            let digest = place.digest(&token);
            (place.registry())
                .add_owner(&owner.parse().unwrap(), None, &digest, Timestamp::now())
                .unwrap();
            tokens.push(token);
        }
        let add = |name, owner: &str| {
            let owner = Some(owner.parse().unwrap());
            place.add_with(
                name,
                Settings {
                    owner,
                    ..Settings::default()
                },
            )
        };
        let home = add("home", "anna");
        add("nas", "anna");
        add("bens", "ben");
        place.add("other");
        place.add_with(
            "fixed",
            Settings {
                owner: Some("anna".parse().unwrap()),
                fixed: Some(["203.0.113.7".parse().unwrap()].into_iter().collect()),
                ..Settings::default()
            },
        );
        Owned {
            anna: tokens.swap_remove(0),
            home,
            place,
        }
    }

    /// As the owner: with her token instead of a host's.
    fn of_anna(&self, name: &str) -> Home {
        Home {
            name: name.into(),
            token: self.anna.clone(),
            ..self.home
        }
    }

    fn httpreq(&self, what: &str, name: &str, value: &str) -> Response {
        self.place.httpreq(what, &self.of_anna(name), value).run()
    }

    fn acme_dns(&self, body: &str) -> String {
        self.place
            .acme_dns(&self.of_anna("home"), body)
            .run()
            .said()
    }
}

#[test]
fn every_host_of_the_owner_and_no_other() {
    let it = Owned::new();
    let (a, b) = (value('a'), value('b'));
    for name in ["home", "nas", "fixed"] {
        assert_eq!(it.httpreq("present", name, &a).status, 200, "{name}");
        assert_eq!(it.place.shown(name).concat(), a);
    }
    assert_eq!(it.httpreq("cleanup", "fixed", &a).status, 200);
    // What one token has set the other removes.
    assert_eq!(it.place.httpreq("cleanup", &it.home, &a).run().status, 200);
    assert_eq!(it.place.shown("home"), [""; 0]);
    assert_eq!(it.httpreq("cleanup", "nas", &a).status, 200);
    for name in ["bens", "other", "nobody", "www.home"] {
        let said = it.httpreq("present", name, &b);
        assert_eq!(said.status, 403, "{name}: {}", said.body);
        assert!(said.body.contains("nohost"), "{}", said.body);
    }
    // One host's token is not good for the owner's other host.
    let nas = Home {
        name: "nas".into(),
        token: it.home.token.clone(),
        ..it.home
    };
    assert_eq!(it.place.httpreq("present", &nas, &b).run().status, 403);
    assert_eq!(it.place.all(), [""; 0]);
}

#[test]
fn the_name_is_in_the_request_in_every_protocol() {
    let it = Owned::new();
    let a = value('a');
    let body =
        |subdomain: &str, txt: &str| format!(r#"{{"subdomain":"{subdomain}","txt":"{txt}"}}"#);
    let forbidden = r#"401 {"error":"forbidden"}"#;
    for (body, expected) in [
        (body("nas", &a), format!(r#"200 {{"txt":"{a}"}}"#)),
        (
            body("home.dyn.example.org", &a),
            format!(r#"200 {{"txt":"{a}"}}"#),
        ),
        (body("bens", &a), forbidden.into()),
        (body("other", &a), forbidden.into()),
        (body("", &a), forbidden.into()),
        (body("nas", "short"), r#"400 {"error":"bad_txt"}"#.into()),
        (
            "{}".into(),
            r#"400 {"error":"malformed_json_payload"}"#.into(),
        ),
        (
            String::new(),
            r#"400 {"error":"malformed_json_payload"}"#.into(),
        ),
    ] {
        assert_eq!(it.acme_dns(&body), expected, "{body}");
    }
    for name in ["home", "nas"] {
        assert_eq!(it.place.shown(name).concat(), a);
        assert_eq!(it.httpreq("cleanup", name, &a).status, 200);
    }
    // DuckDNS names several at once, and hears one word for all of them.
    let token = it.anna.secret();
    let duckdns = |domains: &str, rest: &str| {
        let path = format!("/update?domains={domains}&token={token}&{rest}");
        it.place.visit(&path).said()
    };
    let set = format!("txt={a}");
    assert_eq!(duckdns("home,nas", &set), "200 OK");
    assert_eq!(
        [it.place.shown("home"), it.place.shown("nas")],
        [[a.as_str()], [a.as_str()]]
    );
    assert_eq!(duckdns("home,bens", "txt=&clear=true"), "200 KO");
    assert_eq!(it.place.shown("home"), [""; 0]);
    assert_eq!(duckdns("nas", "txt=&clear=true"), "200 OK");
    assert_eq!(duckdns("", &set), "400 KO");
    // Wrong shapes are told as such, though they name no host.
    let visit = |body: &str| {
        let visit = it.place.post("/present", body);
        visit.set("HTTP_AUTHORIZATION", basic(token)).run()
    };
    assert_eq!(
        visit("[]").said(),
        r#"400 {"status":"malformed_json_payload"}"#
    );
    assert_eq!(
        visit(&httpreq("home", "x")).said(),
        r#"400 {"status":"bad_txt"}"#
    );
    assert_eq!(it.place.all(), [""; 0]);
}

#[test]
fn an_owner_that_is_switched_off_sets_none_and_has_none() {
    let it = Owned::new();
    let a = value('a');
    assert_eq!(it.httpreq("present", "home", &a).status, 200);
    assert_eq!(
        it.place
            .httpreq("present", &it.home, &value('b'))
            .run()
            .status,
        200
    );
    let disabled = bowline(&it.place, &["owner", "disable", "anna"]);
    assert!(disabled.status.success(), "{disabled:?}");
    assert_eq!(it.place.shown("home"), [""; 0]);
    assert_eq!(it.httpreq("present", "home", &a).status, 403);
    assert_eq!(it.place.httpreq("present", &it.home, &a).run().status, 403);
    assert!(
        bowline(&it.place, &["owner", "enable", "anna"])
            .status
            .success()
    );
    assert_eq!(it.httpreq("present", "home", &a).status, 200);
    let removed = bowline(&it.place, &["owner", "remove", "anna", "--with-hosts"]);
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(it.httpreq("present", "home", &a).status, 401);
    assert_eq!(it.place.all(), [""; 0]);
}
