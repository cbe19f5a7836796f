//! Every key of `bowline.toml` with its meaning and default: the one source of
//! `bowline config show` and of bowline.toml(5).

mod notify;

use toml_edit::{Array, InlineTable, Value};

use super::{
    AnswerStyle, Config, CredentialPlace, Endpoint, LogClient, LogLevel, OmittedFamily, Params,
    Zone,
};

/// A key, and how its value in force is shown.
pub struct Key {
    /// The table it is in: empty, `state`, …; `zone` is there once per zone.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a sentence or two without the final full stop.
    pub doc: &'static str,
    /// Its value when it is not there, as TOML; `None`: it must be there, empty: there is none.
    pub default: Option<&'static str>,
    show: Show,
}

/// Where a key's value in force comes from.
enum Show {
    Config(fn(&Config) -> Value),
    /// Of a table that need not be there, or a key without a default.
    Maybe(fn(&Config) -> Option<Value>),
    Zone(fn(&Zone) -> Value),
    Endpoint(fn(&Endpoint) -> Value),
}

/// The tables, in the order in which they are shown, and what each is about.
pub const TABLES: [(&str, &str); 13] = [
    ("", "Before the first table"),
    ("state", "What bowline keeps"),
    (
        "client",
        "How the address of the client is known, and what it is offered",
    ),
    ("limits", "Limits"),
    ("keep", "How long things are kept"),
    ("log", "The log"),
    ("acme", "Clients for certificates"),
    (
        "notify",
        "Word of what happened; none goes out without one of the tables below",
    ),
    ("notify.mail", "Mail"),
    ("notify.webhook", "A webhook: JSON by HTTP"),
    ("notify.command", "A command on this machine"),
    (
        "zone",
        "A zone whose hosts bowline may move; one table each",
    ),
    (
        "endpoint",
        "A further path at which updates are taken, in place of what is built in there; one table each",
    ),
];

/// All keys; those of a table in the order in which they are shown.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(&notify::KEYS)
}

/// All but those of `[notify]`.
const KEYS: [Key; 27] = [
    Key {
        table: "",
        name: "url",
        doc: "what stands in front of token and name in an update URL; a path of at most 80 octets may follow the host",
        default: None,
        show: Show::Config(|config| config.url.as_str().into()),
    },
    Key {
        table: "state",
        name: "registry",
        doc: "the SQLite file with the hosts; its directory holds locks and counters too",
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
        name: "changes",
        doc: "how many changes of one host are published in how long a time, or off; beyond that the newest is kept, and published when the time is over; so many new challenges of it are taken, too",
        default: Some("\"30/10m\""),
        show: Show::Config(|config| config.limits.changes.to_string().into()),
    },
    Key {
        table: "limits",
        name: "wrong_secrets",
        doc: "how many wrong secrets from one address (IPv6: one /64) are answered with 401 in how long a time, or off; beyond that with 429, while a right one still works",
        default: Some("\"20/10m\""),
        show: Show::Config(|config| config.limits.wrong_secrets.to_string().into()),
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
        doc: "how long changes stay in the history, each with the whole address of who asked. It cannot be off, only short, as 1h; upkeep may then not know a zone for one that came back from an old copy",
        default: Some("\"90d\""),
        show: Show::Config(|config| config.keep.history.to_string().into()),
    },
    Key {
        table: "keep",
        name: "challenges",
        doc: "how long a challenge for a certificate stands whose client does not remove it",
        default: Some("\"1h\""),
        show: Show::Config(|config| config.keep.challenges.to_string().into()),
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
        doc: "how much of the client's address is written to the log: full, prefix (its /24 or /48) or none. The history (`bowline history`) has all of it in any case, for as long as [keep] history says",
        default: Some("\"full\""),
        show: Show::Config(|config| client(config.log.client).into()),
    },
    Key {
        table: "acme",
        name: "register",
        doc: "who may register an account of acme-dns (POST /register), which makes a host of a random name in the first zone with acme = true: off, open (whoever comes), or file:PATH (who shows the secret in that file as the password of Basic authentication)",
        default: Some("\"off\""),
        show: Show::Config(|config| config.acme.register.to_string().into()),
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
    Key {
        table: "zone",
        name: "acme",
        doc: "whether hosts may set challenges for certificates (TXT at _acme-challenge); the key must have the right to: bowline zone set ZONE --acme gives both, --no-acme takes them back",
        default: Some("false"),
        show: Show::Zone(|zone| zone.acme.into()),
    },
    Key {
        table: "endpoint",
        name: "path",
        doc: "the path below that of url; <token>, <name> and <address> in it stand for one segment each, as in /ddns/<name>/<token>",
        default: None,
        show: Show::Endpoint(|endpoint| endpoint.path.as_str().into()),
    },
    Key {
        table: "endpoint",
        name: "credential",
        doc: "where the token is: basic (as the password, with any user), query (a parameter of query or form), bearer or path; of a list the first that is there and may be a token counts. With <token> in the path it is path unless said otherwise",
        default: Some("[\"basic\", \"bearer\", \"query\"]"),
        show: Show::Endpoint(|endpoint| {
            let places = endpoint.credentials.iter();
            places
                .map(|place| credential(*place))
                .collect::<Array>()
                .into()
        }),
    },
    Key {
        table: "endpoint",
        name: "omitted",
        doc: "what a family that is not given means while the other is: keep its records or remove them",
        default: Some("\"keep\""),
        show: Show::Endpoint(|endpoint| match endpoint.omitted {
            OmittedFamily::Keep => "keep".into(),
            OmittedFamily::Remove => "remove".into(),
        }),
    },
    Key {
        table: "endpoint",
        name: "answer",
        doc: "how it answers: words (good, nochg, ...; JSON by the Accept header field), json, or ok-ko",
        default: Some("\"words\""),
        show: Show::Endpoint(|endpoint| match endpoint.answer {
            AnswerStyle::Words => "words".into(),
            AnswerStyle::Json => "json".into(),
            AnswerStyle::OkKo => "ok-ko".into(),
        }),
    },
    Key {
        table: "endpoint",
        name: "params",
        doc: "the names of each parameter, of which the first that is there counts, of addresses the first that has a value; with an empty list there is no such parameter",
        default: Some(PARAMS),
        show: Show::Endpoint(|endpoint| params(&endpoint.params)),
    },
];

/// The names that parameters have unless an endpoint says otherwise.
const PARAMS: &str = "{ hostname = [\"hostname\", \"host\"], \
    ipv4 = [\"myip\", \"myipv4\", \"ipv4\", \"ip4\", \"ip\", \"address\"], \
    ipv6 = [\"myipv6\", \"myip6\", \"ipv6\", \"ip6\"], \
    password = [\"password\", \"pass\", \"token\"], notify_change = [\"notify_change\"] }";

impl Config {
    /// The configuration in force as TOML, defaults included; it reads back to the same.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (table, _) in TABLES {
            match table {
                "zone" => {
                    for zone in &self.zones {
                        text += "\n[[zone]]\n";
                        text += &self.lines(table, Some(zone), None);
                    }
                }
                "endpoint" => {
                    for endpoint in &self.endpoints {
                        text += "\n[[endpoint]]\n";
                        text += &self.lines(table, None, Some(endpoint));
                    }
                }
                "" => text += &self.lines(table, None, None),
                _ => {
                    let lines = self.lines(table, None, None);
                    if !lines.is_empty() {
                        text += &format!("\n[{table}]\n{lines}");
                    }
                }
            }
        }
        text
    }

    /// `key = value` for every key of a table.
    fn lines(&self, table: &str, zone: Option<&Zone>, endpoint: Option<&Endpoint>) -> String {
        keys()
            .filter(|key| key.table == table)
            .filter_map(|key| {
                let value = match &key.show {
                    Show::Config(show) => show(self),
                    Show::Maybe(show) => show(self)?,
                    Show::Zone(show) => show(zone?),
                    Show::Endpoint(show) => show(endpoint?),
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

/// A place by its name.
fn credential(place: CredentialPlace) -> &'static str {
    match place {
        CredentialPlace::Basic => "basic",
        CredentialPlace::Query => "query",
        CredentialPlace::Bearer => "bearer",
        CredentialPlace::Path => "path",
    }
}

/// Parameters with their names, as an inline table.
fn params(params: &Params) -> Value {
    let lists = [
        ("hostname", &params.hostname),
        ("ipv4", &params.ipv4),
        ("ipv6", &params.ipv6),
        ("password", &params.password),
        ("notify_change", &params.notify_change),
    ];
    let lists = lists.map(|(name, names)| (name, names.iter().collect::<Array>()));
    lists.into_iter().collect::<InlineTable>().into()
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
mod tests;
