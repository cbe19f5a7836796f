//! Tables for `bowline.toml`.

use super::*;

const SMALL: &str = "url = \"https://update.example.org\"\n\n[[zone]]\nname = \"dyn.example.org\"\n\
                     server = \"127.0.0.1@5353\"\nkey_file = \"tsig.key\"\n";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("/etc/bowline/bowline.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = parse(SMALL).unwrap();
    assert_eq!(
        config.state.registry,
        Path::new("/var/lib/bowline/bowline.db")
    );
    assert_eq!(
        config.state.lookup_key,
        Path::new("/etc/bowline/lookup.key")
    );
    assert_eq!(config.client.header, "X-Forwarded-For");
    assert_eq!(config.limits.reuse, Span::from_days(30));
    assert_eq!(config.keep.history, Span::from_days(90));
    assert_eq!(config.log.target, LogTarget::Auto);
    let [zone] = config.zones.as_slice() else {
        panic!("one zone")
    };
    assert_eq!(zone.key_file, Path::new("/etc/bowline/tsig.key"));
    assert_eq!(zone.server.to_string(), "127.0.0.1:5353");
    assert_eq!((zone.ttl.seconds(), zone.expire), (60, Span::ZERO));
}

#[test]
fn every_path_is_beside_the_file_and_is_known() {
    let text = format!(
        "{}[state]\nregistry = \"rel/db\"\nlookup_key = \"rel/lookup\"\n\
         [log]\ntarget = \"file:rel/log\"\n[acme]\nregister = \"file:rel/invite\"\n\
         [notify.mail]\nsmtp = \"localhost\"\nfrom = \"b@example.org\"\ntemplates = \"rel/tmpl\"\n",
        SMALL.replace("tsig.key", "rel/key")
    );
    let config = parse(&text).unwrap();
    let mut found = Vec::new();
    let each = config.files(|_, path| {
        assert!(path.starts_with("/etc/bowline/rel"), "{}", path.display());
        found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        Ok::<(), ()>(())
    });
    each.unwrap();
    assert_eq!(found, ["db", "lookup", "key", "log", "invite", "tmpl"]);
    // A key that is not among them would be shown as it is written.
    let shown = config.to_toml();
    assert_eq!(shown.matches("/etc/bowline/rel/").count(), found.len());
    assert!(!shown.contains("\"rel/") && !shown.contains(":rel/"));
}

#[test]
fn the_longest_zone_wins() {
    let more = SMALL.to_owned()
        + "[[zone]]\nname = \"b.dyn.example.org\"\nserver = \"127.0.0.1:1\"\nkey_file = \"k\"\n";
    let config = parse(&more).unwrap();
    let zone_of = |name| config.zone_of(name).map(|zone| zone.name.as_str());
    assert_eq!(zone_of("a.dyn.example.org"), Some("dyn.example.org"));
    assert_eq!(zone_of("A.B.dyn.example.org."), Some("b.dyn.example.org"));
    assert_eq!(zone_of("b.dyn.example.org"), Some("dyn.example.org"));
    assert_eq!(zone_of("dyn.example.org"), None);
    assert_eq!(zone_of("xdyn.example.org"), None);
}

#[test]
fn errors_name_file_line_and_what_is_legal() {
    for (text, expected) in [
        ("url = 3", "/etc/bowline/bowline.toml, line 1: "),
        ("\nurl = \"x\"", "line 2: \"x\" is no usable URL"),
        ("[zone]", "line 1: "),
        ("", "missing field `url`"),
        (
            "url = \"https://u\"\nurll = 1",
            "line 2: unknown key `urll`, expected one of `url`, `state`",
        ),
        (
            "url = \"https://u\"\n[state]\nregisty = \"\"",
            "line 3: unknown key `registy`, expected `registry` or `lookup_key`",
        ),
        (
            "url = \"https://u\"\n[log]\nlevel = \"loud\"",
            "line 3: unknown variant `loud`, expected one of `debug`, `info`",
        ),
        (
            "url = \"https://u\"\n[log]\ntarget = \"tape\"",
            "\"tape\" is no log target; write auto, syslog, stderr or file:PATH",
        ),
        (
            "url = \"https://u\"\n[keep]\nhistory = \"soon\"",
            "\"soon\" is no duration",
        ),
        (
            "url = \"https://u\"\n[client]\ntrusted_proxies = [\"10.0.0.0/33\"]",
            "line 3: ",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    for (line, expected) in [
        ("ttl = 0", "a TTL is 1 to 604800 seconds, not 0"),
        ("expire = \"5m\"", "under ten minutes"),
        ("server = \"ns:53\"", "duplicate key"),
        ("tttl = 5", "unknown key `tttl`"),
    ] {
        let error = parse(&format!("{SMALL}{line}\n")).unwrap_err();
        assert!(error.contains(expected), "{line:?}: {error}");
    }
    let twice = format!("{SMALL}{}", SMALL.split_once("\n\n").unwrap().1);
    assert!(
        parse(&twice)
            .unwrap_err()
            .contains("dyn.example.org stands there twice")
    );
}
