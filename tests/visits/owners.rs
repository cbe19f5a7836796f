//! An owner's token: good for all of the owner's hosts, each answered on its own line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::ip::Addresses;
use bowline::name::HostName;
use bowline::owner_name::OwnerName;
use bowline::registry::{NewHost, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::Token;
use bowline::ttl::Ttl;

use crate::support::knot::Options;
use crate::support::site::{Home, Site, set};
use crate::support::visit::Response;

/// Anna with `home` and `nas`; `other` is nobody's, and `bens` is Ben's.
struct Owned {
    site: Site,
    anna: Token,
    home: Home,
    nas: Home,
    other: Home,
    bens: Home,
}

fn name(text: &str) -> OwnerName {
    text.parse().unwrap()
}

fn owned_by(owner: &str) -> Settings {
    Settings {
        owner: Some(name(owner)),
        ..Settings::default()
    }
}

fn add_owner(site: &Site, owner: &str) -> Token {
    let token = site.token();
    let (mut registry, now) = (site.registry(), Timestamp::now());
    let digest = site.digest(&token);
    registry
        .add_owner(&name(owner), None, &digest, now)
        .unwrap();
    token
}

fn nic(site: &Site, token: &Token, query: &str) -> Response {
    let pair = STANDARD.encode(format!("anna:{}", token.secret()));
    site.get(&format!("/nic/update?{query}"))
        .set("HTTP_AUTHORIZATION", format!("Basic {pair}"))
        .run()
}

impl Owned {
    fn new() -> Self {
        let site = Site::new();
        let anna = add_owner(&site, "anna");
        add_owner(&site, "ben");
        Owned {
            home: site.add_with("home", owned_by("anna")),
            nas: site.add_with("nas", owned_by("anna")),
            other: site.add("other"),
            bens: site.add_with("bens", owned_by("ben")),
            anna,
            site,
        }
    }

    /// A visit as ddclient makes it, with Anna's token.
    fn nic(&self, query: &str) -> Response {
        self.nic_with(&self.anna, query)
    }

    fn nic_with(&self, token: &Token, query: &str) -> Response {
        nic(&self.site, token, query)
    }

    /// What the name server has, of all four.
    fn dns(&self) -> [String; 4] {
        [&self.home, &self.nas, &self.other, &self.bens].map(|home| self.site.dns(&home.name))
    }
}

#[test]
fn each_host_is_answered_on_its_own_line_and_all_change_in_one_update() {
    let it = Owned::new();
    let serial = it.site.knot.serial();
    let said = it.nic("hostname=nas.dyn.example.org,home.dyn.example.org&myip=203.0.113.7");
    assert_eq!(said.said(), "200 good 203.0.113.7\ngood 203.0.113.7");
    assert_eq!(it.dns(), ["203.0.113.7", "203.0.113.7", "", ""]);
    assert_eq!(it.site.knot.serial(), serial + 1);

    assert_eq!(it.site.visit(&it.home.with("203.0.113.8")).status, 200);
    let said = it.nic("hostname=nas,home&myip=203.0.113.7");
    assert_eq!(said.said(), "200 nochg 203.0.113.7\ngood 203.0.113.7");
    assert_eq!(it.dns(), ["203.0.113.7", "203.0.113.7", "", ""]);
}

#[test]
fn foreign_and_impossible_names_are_told_and_never_touched() {
    let it = Owned::new();
    let names = "home,other,bens,none,a_b,nas.dyn.example.org.,HOME";
    let said = it.nic(&format!("hostname={names}&myip=203.0.113.7,2001:db8::7"));
    let good = "good 203.0.113.7,2001:db8::7";
    let lines = [good, "nohost", "nohost", "nohost", "notfqdn", good, good];
    assert_eq!(said.said(), format!("200 {}", lines.join("\n")));
    let both = "203.0.113.7,2001:db8::7";
    assert_eq!(it.dns(), [both, both, "", ""]);
    // What is no host's fills no log: a line for each kind.
    it.site.forget_log();
    it.nic("hostname=none,some,more,a_b,c_d&myip=203.0.113.9");
    let log = it.site.log();
    assert_eq!(log.lines().count(), 2, "{log}");
    // Alone it is refused, so that no client takes it for done.
    assert_eq!(
        it.nic("hostname=bens&myip=203.0.113.9").said(),
        "403 nohost"
    );
    assert_eq!(it.dns(), [both, both, "", ""]);
    // DuckDNS has one word for all of them, and the status of a list.
    let duckdns = |domains: &str, ip: &str| {
        let token = it.anna.secret();
        let path = format!("/update?domains={domains}&token={token}&ip={ip}");
        it.site.visit(&path).said()
    };
    assert_eq!(duckdns("home,none,nas", "203.0.113.9"), "200 KO");
    assert_eq!(duckdns("none,bens", "203.0.113.10"), "403 KO");
    let moved = "203.0.113.9,2001:db8::7";
    assert_eq!(it.dns(), [moved, moved, "", ""]);
}

#[test]
fn which_host_is_meant() {
    let it = Owned::new();
    let path = |rest: &str| format!("/{}{rest}", it.anna.secret());
    for (path, said, home, nas) in [
        (path("?myip=203.0.113.1"), "400 notfqdn", "", ""),
        (
            path("/home?myip=203.0.113.1"),
            "200 good 203.0.113.1",
            "203.0.113.1",
            "",
        ),
        (
            path("/nas.dyn.example.org?myip=203.0.113.2"),
            "200 good 203.0.113.2",
            "203.0.113.1",
            "203.0.113.2",
        ),
        (
            path("/bens?myip=203.0.113.3"),
            "403 nohost",
            "203.0.113.1",
            "203.0.113.2",
        ),
    ] {
        assert_eq!(it.site.visit(&path).said(), said, "{path}");
        assert_eq!(it.dns()[..2], [home, nas], "{path}");
    }
    assert_eq!(it.nic("myip=203.0.113.4").said(), "400 notfqdn");
    let now = Timestamp::now();
    it.site.registry().remove(it.nas.id, now).unwrap();
    it.site.publish(&it.nas);
    // An owner's only host needs no name.
    assert_eq!(it.nic("myip=203.0.113.4").said(), "200 good 203.0.113.4");
    assert_eq!(
        it.site.visit(&path("?myip=203.0.113.5")).said(),
        "200 good 203.0.113.5"
    );
    assert_eq!(it.dns(), ["203.0.113.5", "", "", ""]);
}

#[test]
fn a_full_name_is_one_host_where_one_zone_is_below_another() {
    let it = Owned::new();
    let server = it.site.knot.addr();
    let above = "[[zone]]\nname = \"example.org\"\nkey_file = \"tsig.key\"\n";
    it.site.configure(
        "http://update.example.org",
        &format!("{above}server = \"{server}\"\n"),
    );
    for (name, address) in [
        ("home.dyn.example.org", "203.0.113.1"),
        ("home.dyn", "203.0.113.2"),
        ("home", "203.0.113.3"),
    ] {
        let said = it.nic(&format!("hostname={name}&myip={address}"));
        assert_eq!(said.said(), format!("200 good {address}"), "{name}");
        assert_eq!(it.dns(), [address, "", "", ""]);
    }
}

#[test]
fn a_static_host_is_not_moved_by_its_owners_token() {
    let it = Owned::new();
    let mut registry = it.site.registry();
    let settings = Settings {
        fixed: Some(["192.0.2.9".parse().unwrap()].into_iter().collect()),
        ..owned_by("anna")
    };
    let fixed = settings.fixed;
    set(&mut registry, it.nas.id, &settings, fixed).unwrap();
    it.site.publish(&it.nas);
    let said = it.nic("hostname=nas&myip=203.0.113.7");
    assert_eq!(said.said(), "403 nohost");
    let said = it.nic("hostname=home,nas&myip=203.0.113.7");
    assert_eq!(said.said(), "200 good 203.0.113.7\nnohost");
    let said = it.nic("hostname=nas&offline=yes");
    assert_eq!(said.said(), "403 nohost");
    // The other one is the only one that can be meant.
    assert_eq!(it.nic("myip=203.0.113.8").said(), "200 good 203.0.113.8");
    assert_eq!(it.dns(), ["203.0.113.8", "192.0.2.9", "", ""]);
}

#[test]
fn twenty_names_and_no_more() {
    let it = Owned::new();
    let names = |count| vec!["home"; count].join(",");
    let said = it.nic(&format!("hostname={}&myip=203.0.113.7", names(20)));
    assert_eq!(
        said.said(),
        format!("200 {}", ["good 203.0.113.7"; 20].join("\n"))
    );
    let said = it.nic(&format!("hostname={}&myip=203.0.113.8", names(21)));
    assert_eq!(said.said(), "400 numhost");
    assert_eq!(it.dns(), ["203.0.113.7", "", "", ""]);
}

#[test]
fn twenty_names_in_as_many_zones() {
    let zones: Vec<String> = (0..20).map(|n| format!("z{n}.example.net")).collect();
    let site = Site::with(&Options {
        zones: zones.clone(),
        ..Options::default()
    });
    let (server, anna) = (site.knot.addr(), add_owner(&site, "anna"));
    let table = |zone: &String| {
        format!("\n[[zone]]\nname = \"{zone}\"\nserver = \"{server}\"\nkey_file = \"tsig.key\"\n")
    };
    let tables: String = zones.iter().map(table).collect();
    site.configure("http://update.example.org", &tables);
    let host = |zone: &String| NewHost {
        name: HostName::new("home", &zone.parse().unwrap()).unwrap(),
        settings: owned_by("anna"),
        token: None,
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    let hosts: Vec<NewHost> = zones.iter().map(host).collect();
    (site.registry().add(&hosts, Ttl::DEFAULT, Timestamp::now())).unwrap();
    let names: Vec<String> = zones.iter().map(|zone| format!("home.{zone}")).collect();
    for word in ["good", "nochg"] {
        let query = format!("hostname={}&myip=203.0.113.7", names.join(","));
        let lines = vec![format!("{word} 203.0.113.7"); names.len()];
        let said = nic(&site, &anna, &query).said();
        assert_eq!(said, format!("200 {}", lines.join("\n")));
        for name in &names {
            assert_eq!(site.knot.kdig(name, "A"), ["203.0.113.7"]);
        }
    }
}

#[test]
fn an_owner_that_is_switched_off_and_on() {
    let it = Owned::new();
    let both = "hostname=home,nas&myip=203.0.113.7";
    assert_eq!(it.nic(both).status, 200);
    let mut registry = it.site.registry();
    let anna = registry.owner(&name("anna")).unwrap();
    let hosts = registry.disable_owner(anna.id, Timestamp::now()).unwrap();
    assert_eq!(hosts, [it.home.id, it.nas.id]);
    for host in [&it.home, &it.nas] {
        it.site.publish(host);
        // The host's own token is no way round it.
        // Not even to hear that it is as it should be.
        for rest in ["?myip=203.0.113.8", "?offline=yes", ""] {
            let said = it.site.visit(&host.at(rest));
            assert_eq!(said.said(), "403 abuse", "{rest}");
        }
    }
    assert_eq!(it.nic(both).said(), "403 abuse");
    assert_eq!(it.dns(), ["", "", "", ""]);
    registry
        .enable_owner(anna.id, |_| Ttl::DEFAULT, Timestamp::now())
        .unwrap();
    assert_eq!(it.dns(), ["", "", "", ""]);
    assert_eq!(
        it.nic(both).said(),
        "200 good 203.0.113.7\ngood 203.0.113.7"
    );
    assert_eq!(it.dns(), ["203.0.113.7", "203.0.113.7", "", ""]);
}

#[test]
fn a_replaced_token_lives_on_for_a_while() {
    let it = Owned::new();
    let new = it.site.token();
    let digest = it.site.digest(&new);
    let mut registry = it.site.registry();
    let anna = registry.owner(&name("anna")).unwrap();
    let now = Timestamp::now();
    registry
        .rotate_owner(anna.id, &digest, Span::from_days(7), now)
        .unwrap();
    for (token, address) in [(&it.anna, "203.0.113.1"), (&new, "203.0.113.2")] {
        let said = it.nic_with(token, &format!("hostname=home&myip={address}"));
        assert_eq!(said.said(), format!("200 good {address}"));
        assert_eq!(it.site.dns("home"), address);
    }
    let old = registry.owner_tokens(anna.id).unwrap();
    assert!(
        old.iter()
            .any(|token| token.until.is_some() && token.used.is_some())
    );
    registry
        .rotate_owner(anna.id, &it.site.digest(&it.site.token()), Span::ZERO, now)
        .unwrap();
    for token in [&it.anna, &new] {
        let said = it.nic_with(token, "hostname=home&myip=203.0.113.3");
        assert_eq!(said.said(), "401 badauth");
    }
    assert_eq!(it.site.dns("home"), "203.0.113.2");
}

#[test]
fn a_host_that_goes_to_somebody_else_leaves_the_token() {
    let it = Owned::new();
    assert_eq!(it.nic("hostname=nas&myip=203.0.113.1").status, 200);
    let mut registry = it.site.registry();
    for owner in ["ben", ""] {
        let settings = match owner {
            "" => Settings::default(),
            owner => owned_by(owner),
        };
        set(&mut registry, it.nas.id, &settings, None).unwrap();
        let said = it.nic("hostname=nas&myip=203.0.113.2");
        assert_eq!(said.said(), "403 nohost");
        assert_eq!(it.site.dns("nas"), "203.0.113.1");
    }
    assert_eq!(it.site.visit(&it.nas.with("203.0.113.3")).status, 200);
    assert_eq!(it.site.dns("nas"), "203.0.113.3");
}

#[test]
fn a_host_that_is_being_removed_is_nobodys() {
    let owned = Owned::new();
    owned.site.visit(&owned.home.with("203.0.113.1"));
    owned.site.knot.freeze();
    let removed = owned.site.verb(&["host", "remove", "home"]).output();
    assert!(removed.is_ok());
    assert!(
        owned
            .site
            .registry()
            .host_by_id(owned.home.id)
            .unwrap()
            .is_some()
    );
    // A router that hears `abuse` stops for ever, for the owner's other hosts too.
    let answer = owned.nic("hostname=home.dyn.example.org&myip=203.0.113.2");
    assert_eq!(answer.said(), "403 nohost");
}
