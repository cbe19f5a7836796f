//! The table of keys against the parser.

use super::*;
use std::path::Path;

const FILE: &str = "/etc/bowline/bowline.toml";
const SMALL: &str = "url = \"https://update.example.org\"\n";
const ZONE: &str =
    "[[zone]]\nname = \"dyn.example.org\"\nserver = \"127.0.0.1@53\"\nkey_file = \"k\"\n";

const MAIL: &str = "[notify.mail]\nsmtp = \"localhost\"\nfrom = \"a@example.org\"\n";
const WEBHOOK: &str = "[notify.webhook]\nurl = \"http://127.0.0.1:1/\"\n";
const COMMAND: &str = "[notify.command]\ncommand = [\"/bin/true\"]\n";
const ENDPOINT: &str = "[[endpoint]]\npath = \"/ddns\"\n";

/// The keys that the parser itself says there are in a table.
fn parsed_keys(table: &str) -> Vec<String> {
    let text = match table {
        "" => "nonsense = 1\n".to_owned() + SMALL,
        "zone" => format!("{SMALL}{ZONE}nonsense = 1\n"),
        "endpoint" => format!("{SMALL}{ENDPOINT}nonsense = 1\n"),
        _ => format!("{SMALL}[{table}]\nnonsense = 1\n"),
    };
    let error = Config::parse(Path::new(FILE), &text)
        .unwrap_err()
        .to_string();
    let (_, keys) = error.split_once(", expected ").unwrap();
    let mut keys: Vec<String> = keys
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    if table.is_empty() {
        keys.retain(|key| !TABLES.iter().any(|(table, _)| table == key));
    }
    if table == "notify" {
        let below = |key: &str| format!("notify.{key}");
        keys.retain(|key| !TABLES.iter().any(|(table, _)| *table == below(key)));
    }
    keys.sort();
    keys
}

#[test]
fn every_key_of_the_parser_is_here_and_no_other() {
    for (table, _) in TABLES {
        let here = keys().filter(|key| key.table == table);
        let mut here: Vec<&str> = here.map(|key| key.name).collect();
        here.sort_unstable();
        assert_eq!(here, parsed_keys(table), "[{table}]");
    }
    assert!(keys().all(|key| TABLES.iter().any(|(table, _)| *table == key.table)));
}

#[test]
fn defaults_are_those_of_the_parser() {
    let explicit: String = TABLES
        .iter()
        .map(|(table, _)| {
            let head = match *table {
                "" => SMALL.to_owned(),
                "zone" => ZONE.to_owned(),
                "endpoint" => ENDPOINT.to_owned(),
                "notify.mail" => MAIL.to_owned(),
                "notify.webhook" => WEBHOOK.to_owned(),
                "notify.command" => COMMAND.to_owned(),
                table => format!("[{table}]\n"),
            };
            let keys = keys().filter(|key| key.table == *table);
            let lines = keys.filter_map(|key| {
                let default = key.default.filter(|default| !default.is_empty())?;
                Some(format!("{} = {default}\n", key.name))
            });
            head + &lines.collect::<String>()
        })
        .collect();
    let parse = |text: &str| Config::parse(Path::new(FILE), text).unwrap().to_toml();
    let short = [SMALL, ZONE, ENDPOINT, MAIL, WEBHOOK, COMMAND].concat();
    assert_eq!(parse(&explicit), parse(&short));
}

#[test]
fn shown_reads_back() {
    let text = format!(
        "{SMALL}[notify.mail]\nsmtp = \"mail.example.org:587\"\nfrom = \"Dyn DNS <a@example.org>\"\n\
         to = \"root@example.org\"\nevents = [\"silent\"]\ntemplates = \"t\"\n[notify.webhook]\n\
         url = \"https://hook.example.org\"\nbody = {{ a = 5, b.c = \"{{{{ text }}}}\" }}\n\
         [notify.command]\ncommand = [\"/bin/tell\", \"a b\"]\ntimeout = \"3s\"\n[client]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[log]\ntarget = \"file:b.log\"\n\
         level = \"debug\"\nclient = \"none\"\n{ZONE}expire = \"30d\"\nttl = 5\n\
         {ENDPOINT}answer = \"ok-ko\"\nomitted = \"remove\"\n\
         params = {{ ipv4 = [], hostname = [\"h\"] }}\n"
    );
    let shown = Config::parse(Path::new(FILE), &text).unwrap().to_toml();
    for line in [
        "smtp = \"starttls://mail.example.org:587\"",
        "templates = \"/etc/bowline/t\"",
        "events = [\"silent\"]",
        "timeout = \"3s\"",
        "target = \"file:/etc/bowline/b.log\"",
        "expire = \"30d\"",
        "ttl = 5",
        "params = { hostname = [\"h\"], ipv4 = [], ipv6 = [\"myipv6\", ",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert_eq!(
        Config::parse(Path::new(FILE), &shown).unwrap().to_toml(),
        shown
    );
}
