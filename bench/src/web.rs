//! Private web servers: Apache with every CGI program under the same settings, and nginx
//! with every FastCGI responder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Trouble;
use crate::account::WEB;
use crate::bowline::Site;
use crate::http::Client;
use crate::knot::{Knot, OPEN};
use crate::place::Place;
use crate::process::{Server, run};

/// A running web server.
pub(crate) struct Web {
    /// Where it listens, on loopback.
    pub(crate) port: u16,
    _server: Server,
}

impl Web {
    /// Apache: `/hello` and `/update` are C programs, `/wsgi` the usual script, and the
    /// site has its own prefix.
    pub(crate) fn apache(place: &Place, knot: &Knot, site: &Site<'_>) -> Result<Self, Trouble> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("wsgi/update.wsgi");
        let dir = place.directory(&format!("{}-apache", site.name()))?;
        fs::copy(script, dir.join("update.wsgi"))?;
        knsupdate_key(&knot.key_file, &dir.join("nsupdate.key"))?;
        let port = place.port()?;
        fs::write(
            dir.join("apache2.conf"),
            apache(place, &dir, port, knot, site),
        )?;
        let mut command = Command::new("apache2");
        command
            .arg("-DFOREGROUND")
            .arg("-f")
            .arg(dir.join("apache2.conf"));
        let server = Server::start(command.stdin(Stdio::null()))?;
        let server = server.ready("Apache", || Ok(Client::new(port).get("/hello").is_ok()))?;
        Ok(Web {
            port,
            _server: server,
        })
    }

    /// nginx in the directory `name`: each socket has its prefix.
    pub(crate) fn nginx(
        place: &Place,
        name: &str,
        sockets: &[(String, PathBuf)],
    ) -> Result<Self, Trouble> {
        let dir = place.directory(name)?;
        let port = place.port()?;
        fs::write(dir.join("nginx.conf"), nginx(place, &dir, port, sockets)?)?;
        let mut command = Command::new("nginx");
        command.arg("-e").arg(dir.join("error.log"));
        command.arg("-c").arg(dir.join("nginx.conf"));
        let server = Server::start(command.stdin(Stdio::null()))?;
        let server = server.ready("nginx", || Ok(Client::new(port).get("/up").is_ok()))?;
        Ok(Web {
            port,
            _server: server,
        })
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.port)
    }
}

/// The key as `knsupdate -k` reads it: `alg:name:secret`, the first line of what keymgr prints.
fn knsupdate_key(from: &Path, to: &Path) -> Result<(), Trouble> {
    let text = fs::read_to_string(from)?;
    let line = text.lines().find_map(|line| line.strip_prefix("# "));
    Ok(fs::write(to, line.ok_or("keymgr prints no key")?)?)
}

/// As shipped in apache/, but for several programs instead of one.
fn apache(place: &Place, dir: &Path, port: u16, knot: &Knot, site: &Site<'_>) -> String {
    let (at, dns) = (dir.display(), knot.port);
    let user = match place.account.is_other() {
        true => format!("User {WEB}\nGroup {WEB}\n"),
        false => String::new(),
    };
    let modules: String = [
        "mpm_event",
        "authz_core",
        "alias",
        "env",
        "mime",
        "cgid",
        "wsgi",
    ]
    .iter()
    .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
    .collect();
    let file = |name: &str| place.path(name).display().to_string();
    let (hello, update, bowline) = (file("hello"), file("update"), file("bowline"));
    let (name, config) = (site.name(), site.path("bowline.toml"));
    let config = config.display();
    format!(
        r#"ServerRoot "{at}"
DefaultRuntimeDir "{at}"
PidFile "{at}/pid"
ScriptSock "{at}/cgid"
Listen 127.0.0.1:{port}
ServerName 127.0.0.1
{modules}{user}ErrorLog "{at}/error.log"
LogLevel error
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
TypesConfig /dev/null
ScriptAliasMatch "^/hello" "{hello}"
ScriptAliasMatch "^/update" "{update}"
ScriptAliasMatch "^/{name}/" "{bowline}"
WSGIScriptAlias /wsgi "{at}/update.wsgi"
<Location "/">
    Require all granted
    CGIPassAuth On
</Location>
SetEnv ap_trust_cgilike_cl 1
SetEnv BOWLINE_CONFIG {config}
SetEnv UPDATE_ZONE {OPEN}
SetEnv UPDATE_PORT {dns}
<Location "/wsgi">
    SetEnv UPDATE_ZONE {zone}
</Location>
"#,
        zone = site.zone,
    )
}

/// As shipped in nginx/, but for several responders instead of one.
fn nginx(
    place: &Place,
    dir: &Path,
    port: u16,
    sockets: &[(String, PathBuf)],
) -> Result<String, Trouble> {
    let user = match place.account.is_other() {
        true => format!("user {WEB};\n"),
        false => String::new(),
    };
    let mut locations = String::new();
    for (prefix, socket) in sockets {
        writeln!(
            locations,
            "location {prefix} {{ include /etc/nginx/fastcgi_params; fastcgi_pass unix:{}; }}",
            socket.display()
        )?;
    }
    let at = dir.display();
    Ok(format!(
        r#"{user}daemon off;
worker_processes 1;
pid {at}/pid;
error_log {at}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {at}/body;
    fastcgi_temp_path {at}/fastcgi;
    proxy_temp_path {at}/proxy;
    scgi_temp_path {at}/scgi;
    uwsgi_temp_path {at}/uwsgi;
    server {{
        listen 127.0.0.1:{port};
        location = /up {{ return 200; }}
        {locations}
    }}
}}
"#
    ))
}

/// Starts the C responder on a socket of its own.
pub(crate) fn hello_responder(place: &Place) -> Result<(Server, PathBuf), Trouble> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixListener;
    let socket = place.path("hello.sock");
    let listener = UnixListener::bind(&socket)?;
    place.account.own(&socket)?;
    let mut command = place.account.command(place.path("responder"));
    let server = Server::start(command.stdin(OwnedFd::from(listener)))?;
    Ok((server, socket))
}

/// The version a server says it is.
pub(crate) fn version(command: &mut Command) -> String {
    let said = run(command).unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}
