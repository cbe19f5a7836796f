//! Who the client is, says the web server, or a proxy that is trusted; nobody else.

use crate::support::site::{Home, Site};

/// Headers in which somebody says that they are somebody else.
const FORGED: [(&str, &str); 9] = [
    ("HTTP_X_REAL_IP", "6.6.6.6"),
    ("HTTP_FORWARDED", "for=6.6.6.6;proto=https;by=127.0.0.1"),
    ("HTTP_CLIENT_IP", "6.6.6.6"),
    ("HTTP_X_CLIENT_IP", "6.6.6.6"),
    ("HTTP_TRUE_CLIENT_IP", "6.6.6.6"),
    ("HTTP_CF_CONNECTING_IP", "6.6.6.6"),
    ("HTTP_X_ORIGINATING_IP", "6.6.6.6"),
    ("HTTP_VIA", "1.1 6.6.6.6"),
    ("REMOTE_HOST", "6.6.6.6"),
];

/// The site with other proxies that are trusted, and their header.
fn trust(site: &Site, proxies: &str, header: &str) {
    site.configure("http://update.example.org", "");
    let file = site.path("bowline.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let client = "trusted_proxies = [\"127.0.0.1\"]";
    assert!(text.contains(client));
    let ours = format!("trusted_proxies = {proxies}\nheader = \"{header}\"");
    std::fs::write(file, text.replace(client, &ours)).unwrap();
}

fn said(site: &Site, home: &Home, peer: &str, header: (&str, &str)) -> String {
    let request = site.get(&home.at("")).set("REMOTE_ADDR", peer);
    let request = request
        .unset("HTTP_X_FORWARDED_FOR")
        .set(header.0, header.1);
    request.run().said()
}

#[test]
fn headers_of_every_name() {
    let site = Site::new();
    let home = site.add("home");
    for (n, forged) in (1..).zip(FORGED) {
        // Nobody in front: what the client says of itself is nothing.
        let direct = format!("203.0.113.{n}");
        assert_eq!(
            said(&site, &home, &direct, forged),
            format!("200 good {direct}"),
            "{forged:?}"
        );
        let xff = ("HTTP_X_FORWARDED_FOR", "6.6.6.6");
        assert_eq!(
            said(&site, &home, &direct, xff),
            format!("200 nochg {direct}")
        );
        // A trusted proxy in front that passes on what the client wrote.
        let behind = format!("203.0.113.1{n}");
        let request = site.get(&home.at("")).from(&format!("6.6.6.6, {behind}"));
        let request = request.set(forged.0, forged.1);
        assert_eq!(
            request.run().said(),
            format!("200 good {behind}"),
            "{forged:?}"
        );
        assert_eq!(site.dns("home"), behind);
        assert_eq!(
            said(&site, &home, "127.0.0.1", forged),
            "503 911",
            "{forged:?}"
        );
        let ip = site
            .get("/ip")
            .set("REMOTE_ADDR", &direct)
            .set(forged.0, forged.1);
        assert_eq!(ip.run().body, format!("{direct}\n"));
    }
    assert!(!site.log().contains("6.6.6.6"));
}

#[test]
fn proxies_by_their_networks() {
    let site = Site::new();
    let home = site.add("home");
    let client = |n: u32| format!("198.51.100.{n}");
    trust(
        &site,
        "[\"10.0.0.0/8\", \"192.0.2.0/25\", \"2001:db8:ff::/48\"]",
        "X-Real-IP",
    );
    let mut n = 0;
    for (peer, is_trusted) in [
        ("10.0.0.1", true),
        ("10.255.255.255", true),
        ("::ffff:10.1.2.3", true),
        ("192.0.2.127", true),
        ("192.0.2.128", false),
        ("2001:db8:ff::1", true),
        ("2001:db8:ff:ffff::1", true),
        ("2001:db8:fe::1", false),
    ] {
        n += 1;
        let header = client(n);
        let expected = if is_trusted { &header } else { peer };
        let said = said(&site, &home, peer, ("HTTP_X_REAL_IP", &header));
        assert_eq!(said, format!("200 good {expected}"), "{peer}");
        assert!(
            site.dns("home").split(',').any(|ip| ip == expected),
            "{peer}"
        );
    }
    // Another header than the one that is configured says nothing, and neither does junk.
    for header in [
        ("HTTP_X_FORWARDED_FOR", "6.6.6.6"),
        ("HTTP_X_REAL_IP", ""),
        ("HTTP_X_REAL_IP", "6.6.6.6, junk"),
        ("HTTP_X_REAL_IP", "10.0.0.2, 192.0.2.1"),
        ("HTTP_X_REAL_IP", "6.6.6.6%0"),
    ] {
        assert_eq!(
            said(&site, &home, "10.0.0.1", header),
            "503 911",
            "{header:?}"
        );
    }
    let chain = (
        "HTTP_X_REAL_IP",
        "6.6.6.6, 198.51.100.99, [2001:db8:ff::2]:443, 10.0.0.9:80",
    );
    assert_eq!(
        said(&site, &home, "10.0.0.1", chain),
        "200 good 198.51.100.99"
    );
    assert!(!site.dns("home").contains("6.6.6.6"));
}

#[test]
fn a_proxy_that_is_written_as_mapped_is_the_ipv4_one() {
    let site = Site::new();
    let home = site.add("home");
    let proxies = "[\"::ffff:203.0.113.250\", \"::ffff:127.0.0.0/104\"]";
    trust(&site, proxies, "X-Forwarded-For");
    for (peer, client) in [
        ("203.0.113.250", "198.51.100.77"),
        ("127.0.0.9", "198.51.100.78"),
        ("::ffff:127.0.0.9", "198.51.100.79"),
    ] {
        let said = said(&site, &home, peer, ("HTTP_X_FORWARDED_FOR", client));
        assert_eq!(said, format!("200 good {client}"), "{peer}");
        assert_eq!(site.dns("home"), client);
    }
    let header = ("HTTP_X_FORWARDED_FOR", "198.51.100.80");
    let said = said(&site, &home, "203.0.113.251", header);
    assert_eq!(said, "200 good 203.0.113.251", "another one is a client");
}
