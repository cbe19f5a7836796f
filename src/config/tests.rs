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
    let mut config = parse(&more).unwrap();
    for _ in 0..2 {
        let zone_of = |name| config.zone_of(name).map(|zone| zone.name.as_str());
        assert_eq!(zone_of("a.dyn.example.org"), Some("dyn.example.org"));
        assert_eq!(zone_of("A.B.dyn.example.org."), Some("b.dyn.example.org"));
        assert_eq!(zone_of("b.dyn.example.org"), Some("dyn.example.org"));
        assert_eq!(zone_of("dyn.example.org"), None);
        assert_eq!(zone_of("xdyn.example.org"), None);
        // In whatever order they stand there.
        config.zones.reverse();
    }
}

#[test]
fn what_is_just_long_enough_is_taken() {
    let config = parse(&format!("{SMALL}expire = \"10m\"\n")).unwrap();
    assert_eq!(config.zones[0].expire, SHORTEST_EXPIRE);
    let command = |timeout: &str| {
        let table = format!("[notify.command]\ncommand = [\"/bin/tell\"]\ntimeout = \"{timeout}\"");
        parse(&format!("{SMALL}{table}\n"))
    };
    for (timeout, fits) in [("0", false), ("1s", true), ("25s", true), ("26s", false)] {
        let error = command(timeout).err().unwrap_or_default();
        assert_eq!(error.is_empty(), fits, "{timeout}: {error}");
        assert!(fits || error.contains("write 1s to 25s"), "{error}");
    }
}

#[test]
fn no_password_goes_out_in_clear_or_stands_in_a_url() {
    let login = "from = \"a@example.org\"\nuser = \"a\"\npassword = \"word\"";
    for (table, expected) in [
        (
            "smtp = \"smtp://mail.example.org\"",
            "sent in clear; write starttls://",
        ),
        ("smtp = \"mail.example.org:2525\"", "sent in clear"),
        ("smtp = \"sendmail\"", "sendmail takes no user and password"),
        ("smtp = \"starttls://mail.example.org\"", ""),
        ("smtp = \"smtps://mail.example.org\"", ""),
        ("smtp = \"smtp://localhost\"", ""),
        ("smtp = \"smtp://[::1]\"", ""),
    ] {
        let error = parse(&format!("{SMALL}[notify.mail]\n{table}\n{login}\n")).err();
        let error = error.unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{table}: {error}");
        assert!(error.contains(expected), "{table}: {error}");
        assert!(!error.contains("word\""), "{error}");
    }
    let hook = "[notify.webhook]\nurl = \"https://me:s3cret@hook.example.org/\"";
    let error = parse(&format!("{SMALL}{hook}\n")).unwrap_err();
    assert!(
        error.contains("write the credentials into headers"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn every_file_with_a_secret_is_known() {
    let mail = "[notify.mail]\nfrom = \"a@example.org\"\nsmtp = \"smtps://mail.example.org\"\n";
    let hook = "[notify.webhook]\nurl = \"https://hook.example.org\"\n";
    let usual = ["lookup.key", "tsig.key"];
    for (more, also) in [
        (String::new(), None),
        (mail.to_owned(), None),
        (hook.to_owned(), None),
        ("[acme]\nregister = \"open\"\n".to_owned(), None),
        (
            "[acme]\nregister = \"file:invite\"\n".to_owned(),
            Some("invite"),
        ),
        (
            format!("{mail}user = \"a\"\npassword = \"b\"\n"),
            Some("bowline.toml"),
        ),
        (format!("{hook}secret = \"a\"\n"), Some("bowline.toml")),
        (
            format!("{hook}headers = {{ A = \"b\" }}\n"),
            Some("bowline.toml"),
        ),
        (hook.replace(".org", ".org/a/b"), Some("bowline.toml")),
        (hook.replace(".org", ".org?a=b"), Some("bowline.toml")),
    ] {
        let config = parse(&format!("{SMALL}{more}")).unwrap();
        let names = config.secrets().into_iter().map(|file| file.file_name());
        let names: Vec<_> = names.map(|name| name.unwrap().to_string_lossy()).collect();
        let mut expected: Vec<&str> = usual.into_iter().chain(also).collect();
        expected.sort_unstable();
        assert_eq!(names, expected, "{more}");
    }
}

#[test]
fn errors_name_file_line_and_what_is_legal() {
    for (text, expected) in [
        ("url = 3", "/etc/bowline/bowline.toml, line 1: "),
        ("\nurl = \"x\"", "line 2: \"x\" is no usable URL"),
        (
            "url = \"https://u\"\n[zone]\nname = \"d.example\"",
            "line 2: invalid type: map, expected tables, as [[zone]]",
        ),
        (
            "url = \"https://u\"\n[client]\ntrusted_proxies = \"10.0.0.1\"",
            "line 3: invalid type: string \"10.0.0.1\", expected a list in [ ]",
        ),
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
            "url = \"https://u\"\n[keep]\nhistory = 90",
            "line 3: invalid type: integer `90`, expected a duration in quotes, such as \"90s\"",
        ),
        (
            "url = \"https://u\"\n[client]\ntrusted_proxies = [\"::1\", \"10.0.0.0/33\"]",
            "line 3: \"10.0.0.0/33\" is no network; write ADDR or ADDR/LENGTH",
        ),
        (
            "url = \"https://u\"\n[client]\ntrusted_proxies = [\"::ffff:10.0.0.0/90\"]",
            "line 3: \"::ffff:10.0.0.0/90\" is wider than all of IPv4",
        ),
        (
            "url = \"https://u\"\n[client]\nheader = \"X Y\"",
            "line 3: \"X Y\" is no name of a header; write X-Forwarded-For",
        ),
        (
            "url = \"https://u\"\n[client]\nheader = \"\"",
            "line 3: \"\" is no name of a header",
        ),
        (
            "url = \"https://u\"\n[limits]\n\nreuse = \"0\"",
            "line 4: limits.reuse = \"0\" is no time; write 30d",
        ),
        (
            "url = \"https://u\"\nkeep.history = \"0\"",
            "line 2: keep.history = \"0\" is no time; write 30d",
        ),
        (
            "url = \"https://u\"\nkeep = { challenges = \"0\" }",
            "line 2: keep.challenges = \"0\" is no time",
        ),
        (
            "url = \"https://u\"\n[notify]\ngive_up = \"0\"",
            "line 3: notify.give_up = \"0\" is no time",
        ),
        (
            "url = \"https://u.example.org:99999\"",
            "line 1: \"https://u.example.org:99999\" is no usable URL; write https://update",
        ),
        (
            "url = 5",
            "line 1: invalid type: integer `5`, expected a URL in quotes, such as \"https://",
        ),
        (
            "url = \"https://u\"\n[limits]\nchanges = 30",
            "line 3: invalid type: integer `30`, expected a limit in quotes, such as \"30/10m\"",
        ),
        (
            "url = \"https://u\"\n[log]\ntarget = 5",
            "expected \"auto\", \"syslog\", \"stderr\" or \"file:PATH\"",
        ),
        (
            "url = \"https://u\"\n[acme]\nregister = true",
            "expected \"off\", \"open\" or \"file:PATH\"",
        ),
        (
            "url = \"https://u\"\n[client]\ntrusted_proxies = [10]",
            "expected a network in quotes, such as \"10.0.0.0/8\"",
        ),
        (
            "url = \"https://u\"\n[state]\nregistry = \"\"",
            "line 3: \"\" is no file; write a path, such as /var/lib/bowline/bowline.db",
        ),
        (
            "url = \"https://u\"\n[state]\nlookup_key = \"..\"",
            "line 3: \"..\" is no file; write a path",
        ),
        (
            "url = \"https://u\"\n[notify.mail]\nfrom = \"a@example.org\"\nsmtp = \"mail:99999\"",
            "line 4: \"mail:99999\" is no mail server; write smtp://HOST:PORT",
        ),
        (
            "url = \"https://u\"\n[notify.mail]\nfrom = \"a@example.org\"\nsmtp = 25",
            "line 4: invalid type: integer, expected a mail server in quotes",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    for (line, expected) in [
        ("ttl = 0", "line 7: a TTL is 1 to 604800 seconds, not 0"),
        ("ttl = -5", "a TTL is 1 to 604800 seconds, not -5"),
        ("ttl = 5000000000", "seconds, not 5000000000"),
        (
            "ttl = \"5m\"",
            "line 7: invalid type: string \"5m\", expected a number of seconds, 1 to 604800",
        ),
        (
            "expire = \"5m\"",
            "line 7: zone dyn.example.org: expire = \"5m\" is under ten minutes",
        ),
        ("server = \"ns:53\"", "duplicate key"),
        ("tttl = 5", "unknown key `tttl`"),
    ] {
        let error = parse(&format!("{SMALL}{line}\n")).unwrap_err();
        assert!(error.contains(expected), "{line:?}: {error}");
    }
    for (from, to, expected) in [
        (
            "\"127.0.0.1@5353\"",
            "5353",
            "line 5: invalid type: integer `5353`, expected an address with a port in quotes",
        ),
        (
            "\"dyn.example.org\"",
            "5",
            "line 4: invalid type: integer `5`, expected a zone in quotes",
        ),
        ("tsig.key", "", "line 6: \"\" is no file; write a path"),
    ] {
        let error = parse(&SMALL.replace(from, to)).unwrap_err();
        assert!(error.contains(expected), "{to:?}: {error}");
    }
    let twice = format!("{SMALL}{}", SMALL.split_once("\n\n").unwrap().1);
    assert!(
        parse(&twice)
            .unwrap_err()
            .contains("line 8: zone dyn.example.org stands there twice")
    );
    let inline = "{ name = \"d.example\", server = \"127.0.0.1:1\", key_file = \"k\" }";
    let twice = format!("url = \"https://u\"\nzone = [\n{inline},\n{inline}\n]\n");
    let error = parse(&twice).unwrap_err();
    assert!(
        error.contains("line 4: zone d.example stands there twice"),
        "{error}"
    );
}

#[test]
fn a_mapped_proxy_is_the_one_it_means() {
    let text = "[client]\ntrusted_proxies = [\"::ffff:203.0.113.250\", \"::ffff:127.0.0.0/104\"]";
    let config = parse(&format!("{SMALL}{text}\n")).unwrap();
    let shown = "trusted_proxies = [\"203.0.113.250/32\", \"127.0.0.0/8\"]";
    assert!(config.to_toml().contains(shown), "{}", config.to_toml());
}

#[test]
fn an_empty_variable_names_no_file() {
    for (variable, expected) in [
        (None, DEFAULT_FILE),
        (Some(""), DEFAULT_FILE),
        (Some("/srv/b.toml"), "/srv/b.toml"),
        (Some("b.toml"), "b.toml"),
    ] {
        let file = file_in_force(variable.map(OsString::from));
        assert_eq!(file, Path::new(expected), "{variable:?}");
    }
}

#[test]
fn no_mistake_repeats_a_secret() {
    for (table, expected) in [
        (
            "[notify.webhook]\nurl = \"https://x\"\nsecret = 424242",
            "line 10: invalid type: integer, expected a string",
        ),
        (
            "[notify.webhook]\nurl = \"https://x\"\nheaders = { A = 4242.42 }",
            "line 10: invalid type: floating point, expected a string",
        ),
        (
            "[notify.webhook]\nurl = \"https://x\"\nheaders = \"A: 4242, expected b\"",
            "line 10: invalid type: string, expected a map",
        ),
        (
            "[notify]\nwebhook = \"https://x/4242\"",
            "line 9: invalid type: string, expected a table",
        ),
        (
            "[notify]\nmail = \"smtp://u:4242@x\"",
            "line 9: invalid type: string, expected a table",
        ),
        (
            "[notify.mail]\nfrom = \"a@example.org\"\nsmtp = \"smtp://u:4242@x\"",
            "line 10: smtp: write the user as user and the password as password",
        ),
    ] {
        let error = parse(&format!("{SMALL}\n{table}\n")).unwrap_err();
        assert!(error.ends_with(expected), "{table}: {error}");
    }
    let error = parse("url = \"https://u\"\nnotify.webhook = \"https://x/4242\"\n").unwrap_err();
    assert!(!error.contains("4242"), "{error}");
}
