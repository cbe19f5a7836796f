//! Where the name server listens, in every spelling.

use serde_json::Value;

use crate::trial::Trial;

#[test]
fn each_is_named_once_and_as_servers_take_it() {
    for (dns, file, named) in [
        ("knot", "knot/bowline.d/10-bowline.conf", "::1@15353"),
        ("powerdns", "pdns/pdns.d/bowline.conf", "[::1]:15353"),
    ] {
        let trial = Trial::new();
        let report = trial.init(&[
            &format!("--dns={dns}"),
            "--web=none",
            "--dns-listen=[::1]:15353",
            "--dns-listen=::1@15353",
            "--dns-listen=[0:0::1]@15353",
            "--dns-listen=::ffff:127.0.0.1@15353",
            "--public=192.0.2.53",
            "--public=::ffff:192.0.2.53",
        ]);
        let text = trial.read(file);
        assert_eq!(text.matches(named).count(), 1, "{text}");
        assert!(!text.contains("::ffff:"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
        let report: Value = serde_json::from_str(&report.unwrap()).unwrap();
        let records = report["records"].as_array().unwrap();
        let data = |record: &Value| record["data"].as_str().unwrap().to_owned();
        let data: Vec<String> = records.iter().map(data).collect();
        assert_eq!(data, ["192.0.2.53", "ns1.example.org."], "{dns}");
    }
}
