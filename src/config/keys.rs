//! Every key of `bowline.toml` with its meaning and default: the one source of
//! `bowline config show` and of bowline.toml(5).

use toml_edit::{Array, Value};

use super::{Config, LogClient, LogLevel, Zone};

/// A key, and how its value in force is shown.
pub struct Key {
    /// The table it is in: empty, `state`, …; `zone` is there once per zone.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a sentence or two without the final full stop.
    pub doc: &'static str,
    /// Its value when it is not there, as TOML; `None`: it must be there.
    pub default: Option<&'static str>,
    show: Show,
}

/// Where a key's value in force comes from.
enum Show {
    Config(fn(&Config) -> Value),
    Zone(fn(&Zone) -> Value),
}

/// The tables, in the order in which they are shown, and what each is about.
pub const TABLES: [(&str, &str); 7] = [
    ("", "Before the first table"),
    ("state", "What bowline keeps"),
    (
        "client",
        "How the address of the client is known, and what it is offered",
    ),
    ("limits", "Limits"),
    ("keep", "How long things are kept"),
    ("log", "The log"),
    (
        "zone",
        "A zone whose hosts bowline may move; one table each",
    ),
];

/// All keys, in the order in which they are shown.
pub const KEYS: [Key; 17] = [
    Key {
        table: "",
        name: "url",
        doc: "what stands in front of token and name in an update URL; a path may follow the host",
        default: None,
        show: Show::Config(|config| config.url.as_str().into()),
    },
    Key {
        table: "state",
        name: "registry",
        doc: "the SQLite file with the hosts; its directory holds the locks too",
        default: Some("\"/var/lib/bowline/bowline.db\""),
        show: Show::Config(|config| path(&config.state.registry)),
    },
    Key {
        table: "state",
        name: "lookup_key",
        doc: "the file with 32 random bytes in hexadecimal, without which the registry's digests of tokens are useless",
        default: Some("\"lookup.key\""),
        show: Show::Config(|config| path(&config.state.lookup_key)),
    },
    Key {
        table: "client",
        name: "trusted_proxies",
        doc: "networks whose word about the client's address is believed",
        default: Some("[]"),
        show: Show::Config(|config| {
            let networks = config.client.trusted_proxies.iter();
            networks.map(ToString::to_string).collect::<Array>().into()
        }),
    },
    Key {
        table: "client",
        name: "header",
        doc: "the header in which a trusted proxy names the client; read from nobody else",
        default: Some("\"X-Forwarded-For\""),
        show: Show::Config(|config| config.client.header.as_str().into()),
    },
    Key {
        table: "client",
        name: "script",
        doc: "whether /client.sh is answered with the script that keeps a machine's name right",
        default: Some("false"),
        show: Show::Config(|config| config.client.script.into()),
    },
    Key {
        table: "limits",
        name: "reuse",
        doc: "how long a removed name is not given out again",
        default: Some("\"30d\""),
        show: Show::Config(|config| config.limits.reuse.to_string().into()),
    },
    Key {
        table: "keep",
        name: "history",
        doc: "how long changes stay in the history",
        default: Some("\"90d\""),
        show: Show::Config(|config| config.keep.history.to_string().into()),
    },
    Key {
        table: "log",
        name: "target",
        doc: "where lines go: auto (syslog where /dev/log is, else standard error with the time), syslog, stderr, or file:PATH",
        default: Some("\"auto\""),
        show: Show::Config(|config| config.log.target.to_string().into()),
    },
    Key {
        table: "log",
        name: "level",
        doc: "the least important line that is written: debug (unchanged visits too), info (changes), notice (refusals) or warning (trouble)",
        default: Some("\"info\""),
        show: Show::Config(|config| level(config.log.level).into()),
    },
    Key {
        table: "log",
        name: "client",
        doc: "how much of the client's address is written: full, prefix (its /24 or /48) or none",
        default: Some("\"full\""),
        show: Show::Config(|config| client(config.log.client).into()),
    },
    Key {
        table: "zone",
        name: "name",
        doc: "the zone",
        default: None,
        show: Show::Zone(|zone| zone.name.as_str().into()),
    },
    Key {
        table: "zone",
        name: "server",
        doc: "where its name server takes updates, ADDR:PORT or ADDR@PORT; best on loopback",
        default: None,
        show: Show::Zone(|zone| zone.server.to_string().into()),
    },
    Key {
        table: "zone",
        name: "key_file",
        doc: "the TSIG key for them: keymgr -t output, algorithm:name:secret, or a BIND key clause",
        default: None,
        show: Show::Zone(|zone| path(&zone.key_file)),
    },
    Key {
        table: "zone",
        name: "ttl",
        doc: "the TTL in seconds of hosts without one of their own, 1 to 604800",
        default: Some("60"),
        show: Show::Zone(|zone| i64::from(zone.ttl.seconds()).into()),
    },
    Key {
        table: "zone",
        name: "expire",
        doc: "how long a silent host without its own setting keeps its records, at least 10m; 0: for ever",
        default: Some("\"0\""),
        show: Show::Zone(|zone| zone.expire.to_string().into()),
    },
    Key {
        table: "zone",
        name: "allow_private",
        doc: "whether every host may have private addresses (RFC 1918, RFC 6598, RFC 4193)",
        default: Some("false"),
        show: Show::Zone(|zone| zone.allow_private.into()),
    },
];

impl Config {
    /// The configuration in force as TOML, defaults included; it reads back to the same.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (table, _) in TABLES {
            match table {
                "zone" => {
                    for zone in &self.zones {
                        text += "\n[[zone]]\n";
                        text += &self.lines(table, Some(zone));
                    }
                }
                "" => text += &self.lines(table, None),
                _ => text += &format!("\n[{table}]\n{}", self.lines(table, None)),
            }
        }
        text
    }

    /// `key = value` for every key of a table.
    fn lines(&self, table: &str, zone: Option<&Zone>) -> String {
        KEYS.iter()
            .filter(|key| key.table == table)
            .filter_map(|key| {
                let value = match (&key.show, zone) {
                    (Show::Config(show), _) => show(self),
                    (Show::Zone(show), zone) => show(zone?),
                };
                Some(format!("{} = {value}\n", key.name))
            })
            .collect()
    }
}

/// A path as TOML; bowline's own are UTF-8.
fn path(path: &std::path::Path) -> Value {
    path.to_string_lossy().as_ref().into()
}

/// A log level by its name.
fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Notice => "notice",
        LogLevel::Warning => "warning",
    }
}

/// By its name, how much of a client is logged.
fn client(client: LogClient) -> &'static str {
    match client {
        LogClient::Full => "full",
        LogClient::Prefix => "prefix",
        LogClient::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FILE: &str = "/etc/bowline/bowline.toml";
    const SMALL: &str = "url = \"https://update.example.org\"\n";
    const ZONE: &str =
        "[[zone]]\nname = \"dyn.example.org\"\nserver = \"127.0.0.1@53\"\nkey_file = \"k\"\n";

    /// The keys that the parser itself says there are in a table.
    fn parsed_keys(table: &str) -> Vec<String> {
        let text = match table {
            "" => "nonsense = 1\n".to_owned() + SMALL,
            "zone" => format!("{SMALL}{ZONE}nonsense = 1\n"),
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
        keys.sort();
        keys
    }

    #[test]
    fn every_key_of_the_parser_is_here_and_no_other() {
        for (table, _) in TABLES {
            let here = KEYS.iter().filter(|key| key.table == table);
            let mut here: Vec<&str> = here.map(|key| key.name).collect();
            here.sort_unstable();
            assert_eq!(here, parsed_keys(table), "[{table}]");
        }
        assert!(
            KEYS.iter()
                .all(|key| TABLES.iter().any(|(table, _)| *table == key.table))
        );
    }

    #[test]
    fn defaults_are_those_of_the_parser() {
        let explicit: String = TABLES
            .iter()
            .map(|(table, _)| {
                let head = match *table {
                    "" => SMALL.to_owned(),
                    "zone" => ZONE.to_owned(),
                    table => format!("[{table}]\n"),
                };
                let keys = KEYS.iter().filter(|key| key.table == *table);
                let lines =
                    keys.filter_map(|key| Some(format!("{} = {}\n", key.name, key.default?)));
                head + &lines.collect::<String>()
            })
            .collect();
        let parse = |text: &str| Config::parse(Path::new(FILE), text).unwrap().to_toml();
        assert_eq!(parse(&explicit), parse(&format!("{SMALL}{ZONE}")));
    }

    #[test]
    fn shown_reads_back() {
        let text = format!(
            "{SMALL}[client]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[log]\ntarget = \"file:b.log\"\n\
             level = \"debug\"\nclient = \"none\"\n{ZONE}expire = \"30d\"\nttl = 5\n"
        );
        let shown = Config::parse(Path::new(FILE), &text).unwrap().to_toml();
        for line in [
            "target = \"file:/etc/bowline/b.log\"",
            "expire = \"30d\"",
            "ttl = 5",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
        assert_eq!(
            Config::parse(Path::new(FILE), &shown).unwrap().to_toml(),
            shown
        );
    }
}
