//! Hosts behind a router: the prefix in its visit moves all of them, and not itself.

use bowline::ip::Family;
use bowline::registry::{Behind, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::support::site::{Home, Site, host_name};

pub(crate) const URL: &str = "http://update.example.org";

pub(crate) fn behind(site: &str, id: &str) -> Settings {
    Settings {
        behind: Some(Behind {
            site: host_name(site),
            id: id.parse().unwrap(),
        }),
        ..Settings::default()
    }
}

/// A router `home` with `nas` and `tv` behind it; `flat` has `pi` behind it, and `other`
/// is alone.
pub(crate) struct Lan {
    pub(crate) site: Site,
    pub(crate) home: Home,
    pub(crate) nas: Home,
    pub(crate) tv: Home,
    pub(crate) flat: Home,
    pub(crate) pi: Home,
    pub(crate) other: Home,
}

impl Lan {
    pub(crate) fn new() -> Self {
        let site = Site::new();
        let home = site.add("home");
        let flat = site.add("flat");
        Lan {
            nas: site.add_with("nas", behind("home", "::11:22:33:44")),
            tv: site.add_with("tv", behind("home", "00:11:32:aa:bb:cc")),
            pi: site.add_with("pi", behind("flat", "::11:22:33:44")),
            other: site.add("other"),
            home,
            flat,
            site,
        }
    }

    /// What the name server has of `home`, `nas`, `tv`, `flat`, `pi` and `other`.
    pub(crate) fn dns(&self) -> [String; 6] {
        let homes = [
            &self.home,
            &self.nas,
            &self.tv,
            &self.flat,
            &self.pi,
            &self.other,
        ];
        homes.map(|home| self.site.dns(&home.name))
    }

    /// A visit of `home`: its answer, and by how much the zone's serial grew.
    pub(crate) fn visit(&self, query: &str) -> (String, u32) {
        let before = self.site.knot.serial();
        let said = self.site.visit(&self.home.at(query)).said();
        (said, self.site.knot.serial() - before)
    }
}

#[test]
fn all_behind_the_site_move_in_one_update_and_nobody_else_does() {
    let lan = Lan::new();
    for home in [&lan.home, &lan.flat, &lan.other] {
        assert_eq!(lan.site.visit(&home.with("2001:db8::7")).status, 200);
    }
    let own = "2001:db8::7";
    assert_eq!(lan.dns(), [own, "", "", own, "", own]);
    // An address of its own that is not of that family stays.
    assert_eq!(lan.site.visit(&lan.nas.with("203.0.113.9")).status, 200);

    let moved = lan.visit("?ip6lanprefix=2001:db8:1::/56");
    assert_eq!(moved, ("200 good 2001:db8:1::".into(), 1));
    let nas = "203.0.113.9,2001:db8:1:0:11:22:33:44";
    let tv = "2001:db8:1:0:211:32ff:feaa:bbcc";
    assert_eq!(lan.dns(), [own, nas, tv, own, "", own]);
    let log = lan.site.log();
    for line in [
        "host=nas.dyn.example.org ipv6=2001:db8:1:0:11:22:33:44 result=good client=198.51.100.4",
        "host=tv.dyn.example.org ipv6=2001:db8:1:0:211:32ff:feaa:bbcc result=good",
        "host=home.dyn.example.org prefix=2001:db8:1::/56 result=good",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let unchanged = lan.visit("?ip6lanprefix=2001:db8:1::/56");
    assert_eq!(unchanged, ("200 nochg 2001:db8:1::".into(), 0));
    assert_eq!(lan.dns(), [own, nas, tv, own, "", own]);

    // The router speaks for all of them, so that none expires.
    for home in [&lan.home, &lan.nas, &lan.tv] {
        silence(&lan.site, home);
    }
    assert_eq!(lan.visit("?ip6lanprefix=2001:db8:1::/56").1, 0);
    for home in [&lan.home, &lan.nas, &lan.tv] {
        assert_ne!(lan.site.host(home).last_seen, None, "{}", home.name);
    }

    let history = lan
        .site
        .registry()
        .history(None, Timestamp::from_seconds(0));
    let last: Vec<_> = history.unwrap().into_iter().rev().take(2).collect();
    for change in last {
        assert_eq!(change.dialect, "path");
        assert_eq!(change.family, Family::Ipv6);
        assert_eq!(change.source, Some("198.51.100.4".parse().unwrap()));
    }
    assert_eq!(lan.site.host(&lan.home).wish.number, 1);
}

/// Forgets when a host was last heard.
fn silence(site: &Site, home: &Home) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let forget = "UPDATE host SET last_seen = NULL WHERE id = ?1";
    db.execute(forget, [home.id.number()]).unwrap();
}

/// The URL that FRITZ!OS documents, filled as the box fills it.
#[test]
fn a_fritzbox_moves_itself_and_what_is_behind_it() {
    let lan = Lan::new();
    let url = "?myip=203.0.113.7&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64&dual=1";
    let said = lan.visit(url);
    assert_eq!(said, ("200 good 203.0.113.7,2001:db8:a::1".into(), 1));
    let own = "203.0.113.7,2001:db8:a::1";
    let (nas, tv) = (
        "2001:db8:b:c0:11:22:33:44",
        "2001:db8:b:c0:211:32ff:feaa:bbcc",
    );
    assert_eq!(lan.dns(), [own, nas, tv, "", "", ""]);
    // DS-Lite: no IPv4 at all, or the provider's own; then nothing filled in.
    for url in [
        "?myip=&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64",
        "?myip=100.64.0.1&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64",
        "?myip=203.0.113.7&myipv6=<ip6addr>&ip6lanprefix=<ip6lanprefix>",
        "?myip=203.0.113.7&myipv6=2001:db8:a::1&ip6lanprefix=",
    ] {
        let (said, steps) = lan.visit(url);
        assert!(
            said.starts_with("200 nochg ") && steps == 0,
            "{url}: {said}"
        );
    }
    let said = lan.visit("?myip=100.64.0.1&ip6lanprefix=2001:db8:b:c1::/64");
    assert_eq!(said, ("200 good 2001:db8:b:c1::".into(), 1));
    let (nas, tv) = (
        "2001:db8:b:c1:11:22:33:44",
        "2001:db8:b:c1:211:32ff:feaa:bbcc",
    );
    assert_eq!(lan.dns(), [own, nas, tv, "", "", ""]);
    assert!(lan.site.last_line().contains("dropped=100.64.0.1"));
    // With nobody behind it the prefix is nothing to publish either.
    let alone = lan
        .other
        .at("?myip=100.64.0.1&ip6lanprefix=2001:db8:b:c1::/64");
    assert_eq!(lan.site.visit(&alone).said(), "503 badip");
    // The address before is not touched by one that cannot be published.
    let said = lan.visit("?myip=203.0.113.8&ip6lanprefix=fd00:1:2:3::/64");
    assert_eq!(said, ("200 good 203.0.113.8".into(), 1));
    assert_eq!(lan.dns()[1], nas);
}

#[test]
fn spellings() {
    let lan = Lan::new();
    let at = |network: &str| format!("{network}:11:22:33:44");
    for (query, said, nas) in [
        (
            "ip6lanprefix=2001:db8:1::/48",
            "good 2001:db8:1::",
            at("2001:db8:1:0"),
        ),
        (
            "ipv6prefix=2001:db8:2:ff00::/56",
            "good 2001:db8:2:ff00::",
            at("2001:db8:2:ff00"),
        ),
        (
            "prefix=2001:db8:3:4::/64",
            "good 2001:db8:3:4::",
            at("2001:db8:3:4"),
        ),
        (
            "prefix=2001:db8:5:6:7::/80",
            "good 2001:db8:5:6::",
            at("2001:db8:5:6"),
        ),
        (
            "prefix=2001:db8:5:6:7:8:9:a",
            "nochg 2001:db8:5:6::",
            at("2001:db8:5:6"),
        ),
        ("prefix=2001:db8:7", "good 2001:db8:7::", at("2001:db8:7:0")),
        (
            "prefix=2001:db8:8:9::",
            "good 2001:db8:8:9::",
            at("2001:db8:8:9"),
        ),
        (
            "prefix=2001%3Adb8%3A8%3Aa%3A%3A%2F64",
            "good 2001:db8:8:a::",
            at("2001:db8:8:a"),
        ),
    ] {
        let (found, _) = lan.visit(&format!("?{query}"));
        assert_eq!(found, format!("200 {said}"), "{query}");
        assert_eq!(lan.dns(), ["", &nas, &lan.dns()[2], "", "", ""], "{query}");
    }
    let before = lan.dns();
    for (query, said) in [
        ("prefix=home", "400 badip"),
        ("prefix=64", "400 badip"),
        ("prefix=203.0.113.0/24", "400 badip"),
        ("prefix=2001:db8:1::/129", "400 badip"),
        ("prefix=2001:db8:1::/64,2001:db8:2::/64", "400 badip"),
        ("prefix=2001:db8:1:&myip=203.0.113.7", "400 badip"),
        ("prefix=fe80::/64", "503 badip"),
        ("prefix=fd00:1:2:3::/64", "503 badip"),
        ("prefix=2002:c000:201::/48", "503 badip"),
    ] {
        assert_eq!(lan.visit(&format!("?{query}")), (said.into(), 0), "{query}");
        assert_eq!(lan.dns(), before, "{query}");
    }
    // JSON has the whole of it.
    let path = lan.home.at("?prefix=2001:db8:9::/56");
    let said = lan
        .site
        .get(&path)
        .set("HTTP_ACCEPT", "application/json")
        .run();
    assert_eq!(
        said.body,
        "{\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"prefix\":\"2001:db8:9::/56\"}\n"
    );
    // What the name server lost comes back.
    lan.site.knot.knotc(&["zone-begin", "dyn.example.org"]);
    lan.site
        .knot
        .knotc(&["zone-unset", "dyn.example.org", "nas"]);
    lan.site.knot.knotc(&["zone-commit", "dyn.example.org"]);
    assert_eq!(
        lan.visit("?prefix=2001:db8:9::/56").0,
        "200 good 2001:db8:9::"
    );
    assert_eq!(lan.site.dns("nas"), at("2001:db8:9:0"));
    assert_eq!(lan.visit("?prefix=-"), ("200 good".into(), 1));
    assert_eq!(lan.dns(), ["", "", "", "", "", ""]);
}

#[test]
fn bits_inside_the_prefix_are_refused_for_that_host() {
    let lan = Lan::new();
    let deep = lan.site.add_with("deep", behind("home", "::5:11:22:33:44"));
    let (said, steps) = lan.visit("?prefix=2001:db8:1:ff00::/56");
    assert_eq!((said.as_str(), steps), ("200 good 2001:db8:1:ff00::", 1));
    assert_eq!(lan.site.dns(&deep.name), "2001:db8:1:ff05:11:22:33:44");
    let (said, steps) = lan.visit("?prefix=2001:db8:1:2::/64");
    assert_eq!((said.as_str(), steps), ("503 badip", 1));
    assert_eq!(lan.site.dns(&deep.name), "2001:db8:1:ff05:11:22:33:44");
    assert_eq!(lan.site.dns("nas"), "2001:db8:1:2:11:22:33:44");
    let line = lan.site.last_line();
    let reason = "reason=\"deep.dyn.example.org: its interface identifier ::5:11:22:33:44 has bits \
                  inside 2001:db8:1:2::/64\"";
    assert!(line.contains(reason), "{line}");
}

#[test]
fn a_token_moves_what_is_behind_its_own_host_only() {
    let lan = Lan::new();
    let now = Timestamp::now();
    assert_eq!(lan.visit("?prefix=2001:db8:1::").1, 1);
    let before = lan.dns();
    for home in [&lan.nas, &lan.other] {
        let said = lan.site.visit(&home.at("?prefix=2001:db8:2::"));
        assert_eq!(said.said(), "200 nochg 2001:db8:2::");
        let said = lan.site.visit(&home.at("/home?prefix=2001:db8:2::"));
        assert_eq!(said.said(), "403 nohost");
    }
    let said = lan.site.visit(&lan.home.at("/nas?prefix=2001:db8:2::"));
    assert_eq!(said.said(), "403 nohost");
    let head = lan.site.get(&lan.home.at("?prefix=2001:db8:2::"));
    assert_eq!(head.method("HEAD").run().status, 405);
    assert_eq!(lan.dns(), before);
    // A renamed site is the same one.
    lan.site
        .registry()
        .rename(
            lan.home.id,
            &bowline::registry::Rename {
                to: host_name("villa"),
                keep: Span::ZERO,
                reuse: Span::ZERO,
                below: false,
            },
            Ttl::DEFAULT,
            now,
        )
        .unwrap();
    assert_eq!(lan.visit("?prefix=2001:db8:3::").0, "200 good 2001:db8:3::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:3:0:11:22:33:44");
    let site = lan.site.host(&lan.nas).settings.behind.unwrap().site;
    assert_eq!(site, host_name("villa"));
}

#[test]
fn each_move_counts_as_a_change_of_its_host() {
    let lan = Lan::new();
    lan.site.configure(URL, "[limits]\nchanges = \"2/1h\"\n");
    for n in 1..=2 {
        let said = lan.visit(&format!("?myip=203.0.113.{n}&prefix=2001:db8:{n}::"));
        assert_eq!(said.0, format!("200 good 203.0.113.{n}"));
    }
    let over = lan.visit("?prefix=2001:db8:3::");
    assert_eq!(over, ("503 911".into(), 0));
    assert_eq!(lan.site.dns("nas"), "2001:db8:2:0:11:22:33:44");
    assert_eq!(lan.site.wish(&lan.nas), "2001:db8:3:0:11:22:33:44");
    // Another site is not concerned.
    let flat = |query: &str| lan.site.visit(&lan.flat.at(query)).said();
    assert_eq!(flat("?prefix=2001:db8:3::"), "200 good 2001:db8:3::");
    assert_eq!(flat("?prefix=2001:db8:4::"), "200 good 2001:db8:4::");
    // It has changes left itself, and is not told that all is done all the same.
    assert_eq!(flat("?myip=203.0.113.9&prefix=2001:db8:5::"), "503 911");
    let pi = "2001:db8:4:0:11:22:33:44";
    assert_eq!(lan.dns()[3..5], ["203.0.113.9", pi]);
    assert_eq!(lan.site.wish(&lan.pi), "2001:db8:5:0:11:22:33:44");
}
