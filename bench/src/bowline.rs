//! An installation of bowline with many hosts.

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Trouble;
use crate::knot::Knot;
use crate::place::Place;
use crate::process::{Server, run};

/// What every secret begins with; nine digits follow.
const SECRET: &str = "BenchmarkSecret";

/// The name of a host in its zone.
pub(crate) fn host(number: usize) -> String {
    format!("h{number:09}")
}

/// A public address, another one for every number.
pub(crate) fn address(number: usize) -> Ipv4Addr {
    let number = (number % (1 << 24)) as u32;
    Ipv4Addr::from((20 << 24) | number)
}

/// Configuration, keys and registry.
pub(crate) struct Site<'a> {
    /// Its zone.
    pub(crate) zone: String,
    /// How many hosts it has.
    pub(crate) hosts: usize,
    /// How long their import took, in seconds.
    pub(crate) import: f64,
    place: &'a Place,
    dir: PathBuf,
}

impl<'a> Site<'a> {
    /// A site in the directory `name`, whose paths begin with `/name`.
    pub(crate) fn new(
        place: &'a Place,
        knot: &Knot,
        name: &str,
        zone: &str,
        hosts: usize,
    ) -> Result<Self, Trouble> {
        let mut site = Site {
            zone: zone.to_owned(),
            hosts,
            import: 0.0,
            place,
            dir: place.owned(name)?,
        };
        site.init(knot)?;
        let list = site.path("hosts.csv");
        fs::write(&list, (0..hosts).fold("name,token\n".to_owned(), row))?;
        let began = Instant::now();
        site.bowline(&["host", "import", &list.to_string_lossy()])?;
        site.import = began.elapsed().as_secs_f64();
        Ok(site)
    }

    /// Keys and an empty registry, as every operator gets them; then the name server that runs.
    fn init(&self, knot: &Knot) -> Result<(), Trouble> {
        let (dir, zone) = (self.dir.display(), &self.zone);
        let url = format!("http://127.0.0.1/{}", self.name());
        // One it finds free: it would not set up a name server where another one runs.
        let server = format!("127.0.0.1@{}", self.place.port()?);
        let mut command = self.place.account.command(self.place.path("bowline"));
        command.args([
            "init",
            zone,
            "--nameserver",
            "ns1.example.org",
            "--url",
            &url,
        ]);
        command.args([
            "--http",
            "127.0.0.1:80",
            "--dns-listen",
            &server,
            "--update",
            &server,
        ]);
        command.args([
            "--public",
            "203.0.113.53",
            "--web",
            "apache",
            "--gateway",
            "cgi",
        ]);
        command.args(["--no-dnssec", "--config-dir", &dir.to_string()]);
        run(command.args(["--user", &self.place.account.name()?]))?;
        fs::copy(&knot.key_file, self.path("tsig.key"))?;
        let config = format!(
            r#"url = "{url}"
[state]
registry = "state/bowline.db"
[limits]
changes = "off"
[log]
target = "file:log"
[[zone]]
name = "{zone}"
server = "127.0.0.1:{}"
key_file = "tsig.key"
"#,
            knot.port
        );
        Ok(fs::write(self.path("bowline.toml"), config)?)
    }

    /// A file of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// From now on its changes are to be told. Nobody is posted anything: no upkeep runs.
    pub(crate) fn tell(&self) -> Result<(), Trouble> {
        let mut config = fs::OpenOptions::new()
            .append(true)
            .open(self.path("bowline.toml"))?;
        let url = format!("http://127.0.0.1:{}/", self.place.port()?);
        Ok(writeln!(config, "[notify.webhook]\nurl = \"{url}\"")?)
    }

    /// Runs a verb.
    pub(crate) fn bowline(&self, arguments: &[&str]) -> Result<String, Trouble> {
        run(self.command().args(arguments))
    }

    /// The path of a visit that gives an address.
    pub(crate) fn visit(&self, number: usize, address: Ipv4Addr) -> String {
        format!("/{}/{SECRET}{number:09}?myip={address}", self.name())
    }

    /// The variables of such a visit for a CGI process without a web server; `{host}` and
    /// `{ip}` stand for themselves.
    pub(crate) fn variables(&self, host: &str, ip: &str) -> Vec<String> {
        let name = self.name();
        let config = self.path("bowline.toml");
        vec![
            format!("BOWLINE_CONFIG={}", config.display()),
            "GATEWAY_INTERFACE=CGI/1.1".into(),
            "SERVER_PROTOCOL=HTTP/1.1".into(),
            "REQUEST_METHOD=GET".into(),
            "REMOTE_ADDR=127.0.0.1".into(),
            format!("REQUEST_URI=/{name}/{SECRET}{host}?myip={ip}"),
            format!("QUERY_STRING=myip={ip}"),
        ]
    }

    /// Starts a FastCGI responder .
    pub(crate) fn responder(&self) -> Result<Server, Trouble> {
        let socket = self.socket();
        Server::start(
            self.command()
                .arg("fastcgi")
                .arg("--listen")
                .arg(format!("unix:{}", socket.display()))
                .stdin(Stdio::null()),
        )?
        .ready("the responder", || Ok(socket.exists()))
    }

    /// What its paths begin with.
    pub(crate) fn name(&self) -> String {
        let name = self.dir.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The responder's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    /// bowline with this site's configuration, as the web server's user.
    fn command(&self) -> Command {
        let mut command = self.place.account.command(self.place.path("bowline"));
        command.arg("--config").arg(self.path("bowline.toml"));
        command
    }
}

/// The list to import, with one more row.
fn row(list: String, number: usize) -> String {
    list + &format!("{},{SECRET}{number:09}\n", host(number))
}
