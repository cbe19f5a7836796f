//! Names in a request, spelt in every way; whatever is not the host's moves nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::knot::ZONE;
use crate::support::site::Site;

#[test]
fn every_spelling_has_its_line() {
    let site = Site::new();
    let home = site.add("home");
    site.add("nas");
    site.add("a");
    let pair = STANDARD.encode(format!("me:{}", home.token.secret()));
    let visit = |path: &str| {
        let request = site
            .get(path)
            .set("HTTP_AUTHORIZATION", format!("Basic {pair}"));
        request.run().said()
    };
    assert_eq!(
        visit("/nic/update?myip=203.0.113.7"),
        "200 good 203.0.113.7"
    );
    let (l63, l64) = ("b".repeat(63), "b".repeat(64));
    let long = [l63.as_str(); 4].join(".");
    let many = ["home"; 20].join(",");
    let nochg = "nochg 203.0.113.7";
    let twenty = format!("200 {}", [nochg; 20].join("\n"));
    let thrice = format!("200 {}", [nochg; 3].join("\n"));
    let mixed = format!("200 nohost\n{nochg}\nnotfqdn\n{nochg}");
    let once = format!("200 {nochg}");
    for (names, said) in [
        // The host's own.
        ("home", once.as_str()),
        ("home.dyn.example.org", &once),
        ("HoMe.dYn.ExAmPlE.oRg", &once),
        ("home.dyn.example.org.", &once),
        ("%68ome", &once),
        ("+home+", &once),
        ("home%0a", &once),
        ("home%0d%0a", &once),
        ("%20home%09,,", &once),
        ("home,HOME,home.dyn.example.org.", &thrice),
        (&many, &twenty),
        ("nas,home,a_b,home", &mixed),
        // Another one's, or nobody's.
        ("nas", "403 nohost"),
        ("NAS.dyn.example.org", "403 nohost"),
        ("dyn.example.org", "403 nohost"),
        ("dyn.example.org.", "403 nohost"),
        ("example.org", "403 nohost"),
        ("home.dyn.example.com", "403 nohost"),
        ("www.home", "403 nohost"),
        ("xn--hme-sna", "403 nohost"),
        ("h%c3%b6me", "403 nohost"),
        ("nas,nas", "403 nohost\nnohost"),
        (&l63, "403 nohost"),
        // Nobody's ever.
        ("home.", "200 nochg 203.0.113.7"),
        ("home..", "400 notfqdn"),
        (".home", "400 notfqdn"),
        (".", "400 notfqdn"),
        ("home.dyn.example.org..", "400 notfqdn"),
        ("home%0anas", "400 notfqdn"),
        ("home%0d%0aSet-Cookie:%20x", "400 notfqdn"),
        ("home%00", "400 notfqdn"),
        ("home%00.dyn.example.org", "400 notfqdn"),
        ("%00", "400 notfqdn"),
        ("home%ff", "400 notfqdn"),
        ("home%20nas", "400 notfqdn"),
        ("home%2fnas", "400 notfqdn"),
        ("home%5c.nas", "400 notfqdn"),
        ("*", "400 notfqdn"),
        ("*.home", "400 notfqdn"),
        ("ho*me", "400 notfqdn"),
        ("-home", "400 notfqdn"),
        ("home-", "400 notfqdn"),
        ("_acme-challenge.home", "400 notfqdn"),
        ("home;nas", "400 notfqdn"),
        ("'home'", "400 notfqdn"),
        ("home@nas", "400 notfqdn"),
        ("http://home", "400 notfqdn"),
        (&l64, "400 notfqdn"),
        (&long, "400 notfqdn"),
    ] {
        let path = format!("/nic/update?hostname={names}&myip=203.0.113.7");
        assert_eq!(visit(&path), said, "{names}");
    }
    let over = format!("/nic/update?hostname={many},home&myip=203.0.113.8");
    assert_eq!(visit(&over), "400 numhost");
    let others = ["nas", "a", "www.home", "*", "x", &l63];
    assert!(others.iter().all(|name| site.dns(name).is_empty()));
    assert_eq!(site.dns("home"), "203.0.113.7");
    assert_eq!(site.host(&home).wish.number, 1);
    assert_eq!(site.knot.kdig(ZONE, "A"), Vec::<String>::new());
}
