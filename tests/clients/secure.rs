//! A site by https, behind Apache or nginx with the shipped files, with a private CA.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::site::Site;
use crate::site::trial::{run, succeed, wait_until};
use crate::support::skip::installed;

const APACHE: &str = include_str!("../../apache/bowline.conf");
const NGINX: &str = include_str!("../../nginx/bowline.tls.conf");

/// Where a client seems to be that comes by IPv4, and by IPv6.
pub(crate) const CLIENTS: [&str; 2] = ["198.51.100.4", "2001:db8:c::4"];

/// A web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Web {
    Apache,
    Nginx,
}

/// A site whose `url` is `https://localhost:PORT`.
pub(crate) struct Secure {
    pub(crate) site: Site,
    /// Host and port.
    pub(crate) authority: String,
    /// The certificate that clients have to trust.
    pub(crate) ca: String,
    processes: Vec<Child>,
}

impl Secure {
    /// Starts it; `None` when a program is missing.
    pub(crate) fn start(web: Web) -> Option<Self> {
        if !["openssl", "nginx"].into_iter().all(installed) {
            return None;
        }
        let port = free_port();
        let authority = format!("localhost:{port}");
        let site = Site::start(&[&format!("--url=https://{authority}")])?;
        let mut config = fs::read_to_string(site.trial.config()).unwrap();
        config += "\n[client]\ntrusted_proxies = [\"127.0.0.0/8\", \"::1\"]\n";
        config += "[log]\ntarget = \"file:state/bowline.log\"\nlevel = \"debug\"\n";
        fs::write(site.trial.config(), config).unwrap();
        let mut secure = Secure {
            site,
            authority,
            ca: String::new(),
            processes: Vec::new(),
        };
        secure.ca = secure.certify();
        match web {
            Web::Apache => secure.apache(port),
            Web::Nginx => secure.nginx(port),
        }
        wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(secure)
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.site.trial.dir.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// Makes a CA and, signed by it, the certificate of `localhost`.
    fn certify(&self) -> String {
        let (ca, key) = (self.file("ca.pem"), self.file("ca.key"));
        let (chain, own) = (self.file("fullchain.pem"), self.file("privkey.pem"));
        let new = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ];
        let common = ["-nodes", "-days", "2"];
        let authority = ["-subj", "/CN=A private CA", "-keyout", &key, "-out", &ca];
        succeed("openssl", &[&new[..], &common, &authority].concat());
        let names = [
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "basicConstraints=CA:FALSE",
        ];
        let signed = [
            "-CA",
            &ca,
            "-CAkey",
            &key,
            "-subj",
            "/CN=localhost",
            "-keyout",
            &own,
            "-out",
            &chain,
        ];
        succeed("openssl", &[&new[..], &common, &names, &signed].concat());
        ca
    }

    /// The virtual host for https that is shipped, run by an Apache of its own.
    fn apache(&mut self, port: u16) {
        let host = APACHE.split_once("# begin tls\n").unwrap().1;
        let host = host.split_once("# end tls").unwrap().0;
        let [v4, v6] = CLIENTS;
        // A proxy that names the client, and the configuration of this test.
        let further = format!(
            "SSLEngine On\nSetEnv BOWLINE_CONFIG \"{}\"\n\
             RequestHeader set X-Forwarded-For {v4}\n\
             RequestHeader set X-Forwarded-For {v6} \"expr=%{{REMOTE_ADDR}} == '::1'\"\n",
            self.site.trial.config().display()
        );
        let host = host
            .replace("*:443", &format!("*:{port}"))
            .replace("/etc/letsencrypt/live/update.example.org", &self.file(""))
            .replace(
                "/usr/bin/bowline",
                self.site.trial.executable.to_str().unwrap(),
            )
            .replace("/var/log/apache2", &self.file(""))
            .replace("ServerName update.example.org", "ServerName localhost")
            .replace("SSLEngine On\n", &further);
        let modules = [
            "mpm_event",
            "authz_core",
            "alias",
            "env",
            "cgid",
            "ssl",
            "headers",
        ];
        let load = modules.map(|module| {
            format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n")
        });
        let text = load.concat()
            + &format!(
                "ServerRoot /\nServerName localhost\nListen 127.0.0.1:{port}\nListen [::1]:{port}\n\
                 PidFile {0}/tls.pid\nScriptSock {0}/tls-cgid.sock\nErrorLog {0}/tls-error.log\n\
                 User www-data\nGroup www-data\n<Directory />\nRequire all denied\n</Directory>\n{host}",
                self.site.trial.dir.path().display()
            );
        let file = self.file("tls.conf");
        fs::write(&file, text).unwrap();
        succeed("apache2", &["-f", &file, "-t"]);
        self.spawn(Command::new("apache2").args(["-f", &file, "-DFOREGROUND"]));
    }

    /// The server for https that is shipped, before a responder.
    fn nginx(&mut self, port: u16) {
        let socket = self.site.trial.path("state/bowline.sock");
        let listen = format!("unix:{}", socket.display());
        let program = self.site.trial.executable.clone();
        self.spawn(
            Command::new(program)
                .arg("--config")
                .arg(self.site.trial.config())
                .args(["fastcgi", "--listen", &listen]),
        );
        wait_until(|| socket.exists());
        let name = "        fastcgi_param HTTP_X_FORWARDED_FOR $client;\n    }\n";
        let server = NGINX
            .replace("listen 443", &format!("listen 127.0.0.1:{port}"))
            .replace("listen [::]:443", &format!("listen [::1]:{port}"))
            .replace("/etc/letsencrypt/live/update.example.org", &self.file(""))
            .replace("/run/bowline/bowline.sock", socket.to_str().unwrap())
            .replace("/var/log/nginx", &self.file(""))
            .replace("    }\n", name);
        let directory = self.site.trial.dir.path().display();
        let places = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"]
            .map(|kind| format!("{kind}_temp_path {directory}/nginx-{kind};\n"))
            .concat();
        let [v4, v6] = CLIENTS;
        let text = format!(
            "user www-data;\npid {directory}/nginx.pid;\nerror_log {directory}/nginx.log;\n\
             events {{}}\nhttp {{\n{places}\
             map $remote_addr $client {{ ::1 {v6}; default {v4}; }}\n\
             log_format bowline '$remote_addr $status';\n{server}}}\n"
        );
        let file = self.file("nginx.conf");
        fs::write(&file, text).unwrap();
        succeed("nginx", &["-t", "-c", &file]);
        self.spawn(Command::new("nginx").args(["-c", &file, "-g", "daemon off;"]));
    }

    fn spawn(&mut self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        let command = command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        self.processes.push(child.unwrap());
    }

    /// What is pasted into a device for a new host of that name, and its token.
    pub(crate) fn paste(&self, name: &str, device: &str) -> (String, String) {
        self.paste_with(name, device, &[])
    }

    /// The same, with further options for the host.
    pub(crate) fn paste_with(&self, name: &str, device: &str, more: &[&str]) -> (String, String) {
        let add = ["host", "add", name, "--for", device];
        let added = self.site.bowline(&[&add[..], more].concat());
        let text = |key: &str| added[key].as_str().unwrap().to_owned();
        (text("paste"), text("token"))
    }

    /// The addresses that the name server has for a host, IPv4 first.
    pub(crate) fn dns(&self, name: &str) -> [String; 2] {
        ["A", "AAAA"].map(|kind| self.site.dig(name, kind))
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            run("kill", &[&process.id().to_string()]);
            let _ = process.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
