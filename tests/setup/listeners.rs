//! Where the name server listens, in every spelling.

use bowline::config::Config;
use serde_json::Value;

use crate::support::knot::free_port;
use crate::trial::Trial;

#[test]
fn each_is_named_once_and_as_servers_take_it() {
    let port = free_port();
    let (at, colon) = (format!("::1@{port}"), format!("[::1]:{port}"));
    for (dns, file, named) in [
        ("knot", "knot/bowline.d/10-bowline.conf", &at),
        ("powerdns", "pdns/pdns.d/bowline.conf", &colon),
    ] {
        let trial = Trial::new();
        let report = trial.init(&[
            &format!("--dns={dns}"),
            "--web=none",
            &format!("--dns-listen={colon}"),
            &format!("--dns-listen={at}"),
            &format!("--dns-listen=[0:0::1]@{port}"),
            &format!("--dns-listen=::ffff:127.0.0.1@{port}"),
            "--public=192.0.2.53",
            "--public=::ffff:192.0.2.53",
        ]);
        let text = trial.read(file);
        assert_eq!(text.matches(named.as_str()).count(), 1, "{text}");
        assert!(!text.contains("::ffff:"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
        let report: Value = serde_json::from_str(&report.unwrap()).unwrap();
        let records = report["records"].as_array().unwrap();
        let data = |record: &Value| record["data"].as_str().unwrap().to_owned();
        let data: Vec<String> = records.iter().map(data).collect();
        assert_eq!(data, ["192.0.2.53", "ns1.example.org."], "{dns}");
    }
}

/// The name server takes the updates of all its zones at one address.
#[test]
fn another_address_for_updates_is_that_of_every_zone() {
    for dns in ["--dns=knot", "--dns=bind", "--dns=powerdns"] {
        let trial = Trial::new();
        let arguments = [dns, "--web=none"];
        trial.init(&arguments).unwrap();
        let add = ["zone", "add", "two.example.org", "--ttl=5m"].map(str::to_owned);
        trial.verb(&add).unwrap();
        // Of a zone that another server has it is not ours to say.
        let url = "--url=https://update.example.org";
        let served = ["init", "three.example.org", "--dns=none", "--web=none", url];
        let served = [&served[..], &["--update=127.0.0.1:5300"]].concat();
        let served: Vec<String> = served.into_iter().map(str::to_owned).collect();
        trial.verb(&served).unwrap();
        trial
            .init(&[&arguments[..], &["--update=127.0.0.1:15354"]].concat())
            .unwrap();
        let text = trial.read("bowline.toml");
        let config = Config::load(&trial.config()).unwrap();
        let servers: Vec<String> = config
            .zones
            .iter()
            .map(|zone| zone.server.to_string())
            .collect();
        let moved = "127.0.0.1:15354";
        assert_eq!(servers, [moved, moved, "127.0.0.1:5300"], "{dns}: {text}");
        assert!(text.contains("ttl = 300"), "{text}");
    }
}
