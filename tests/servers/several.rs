//! Knot, BIND and PowerDNS at once: three zones, three servers, three keys, one bowline.

use std::fs;

use crate::instance::{Instance, Kind};

#[test]
fn one_visit_each() {
    if !Kind::ALL.into_iter().all(Kind::is_installed) {
        return;
    }
    let servers = Kind::ALL.map(|dns| Instance::start(dns, &[]));
    // The first one's bowline has them all; each key is a file of its own.
    let one = &servers[0];
    let mut text = one.read("bowline.toml");
    for server in &servers[1..] {
        let zone = format!("{}.example.org", server.dns.option());
        server.run_steps(&server.bowline(&["zone", "add", &zone]));
        server.wait_for(&zone);
        let key = format!("{}.key", server.dns.option());
        fs::copy(server.path("tsig.key"), one.path(&key)).unwrap();
        text += &format!(
            "\n[[zone]]\nname = \"{zone}\"\nserver = \"127.0.0.1:{}\"\nkey_file = \"{key}\"\n",
            server.update
        );
    }
    fs::write(one.path("bowline.toml"), text).unwrap();
    for (server, address) in servers
        .iter()
        .zip(["203.0.113.1", "203.0.113.2", "203.0.113.3"])
    {
        let name = match server.dns {
            Kind::Knot => "home.dyn.example.org".to_owned(),
            other => format!("home.{}.example.org", other.option()),
        };
        let home = one.add(&name);
        let answer = one.visit(&home.with(address));
        assert_eq!(
            answer.said(),
            format!("200 good {address}"),
            "{}",
            one.last_line()
        );
        assert_eq!(server.dig(&name, "A"), [address]);
        let answer = one.visit(&home.with(address));
        assert_eq!(answer.said(), format!("200 nochg {address}"));
    }
    // One that is down concerns its own hosts only.
    servers[1].stop("TERM");
    let down = one.add("nas.bind.example.org");
    assert!(one.visit(&down.with("203.0.113.4")).is_pending());
    let up = one.add("nas.powerdns.example.org");
    assert_eq!(
        one.visit(&up.with("203.0.113.5")).said(),
        "200 good 203.0.113.5"
    );
    servers[1].again();
    one.bowline(&["upkeep"]);
    assert_eq!(servers[1].dig("nas.bind.example.org", "A"), ["203.0.113.4"]);
}
