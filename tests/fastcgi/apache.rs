//! Apache with mod_proxy_fcgi, mod_fcgid, and lighttpd, before a real Knot.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::site::Site;
use crate::web::{Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, places};

const SITE: &str = include_str!("../../apache/bowline-fastcgi.conf");
const CGI: &str = include_str!("../../apache/bowline.conf");

/// The smallest Apache there is, with these modules.
fn main_file(site: &Site, port: u16, modules: &[&str]) -> String {
    let text = format!(
        "ServerRoot /\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {0}\nErrorLog {1}\n\
         User www-data\nGroup www-data\n\
         <Directory />\nRequire all denied\n</Directory>\nIncludeOptional {2}\n",
        site.path("apache.pid").display(),
        site.path("apache-main.log").display(),
        site.path("apache/bowline.conf").display(),
    );
    let modules = ["authz_core", "alias", "env"].iter().chain(modules);
    let load = modules.map(|module| {
        format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n")
    });
    load.collect::<String>() + &text
}

fn apache(site: &Site) -> Command {
    let mut command = Command::new("apache2");
    // At its end mod_mpm_prefork signals all of its group.
    command.process_group(0);
    command.arg("-f").arg(site.path("apache.conf"));
    command
}

/// Opens the directory for the user that Apache becomes.
fn open_to_www_data(site: &Site) {
    fs::set_permissions(site.path(""), fs::Permissions::from_mode(0o755)).unwrap();
}

fn start(site: &Site, port: u16) -> Web {
    let tested = apache(site).arg("-t").output().unwrap();
    assert!(
        tested.status.success(),
        "{}",
        String::from_utf8_lossy(&tested.stderr)
    );
    Web::start(apache(site).arg("-DFOREGROUND"), port)
}

#[test]
fn mod_proxy_fcgi_passes_everything_on_and_no_token_to_a_log() {
    let site = Site::new();
    open_to_www_data(&site);
    // The client speaks plain HTTP.
    site.configure("http://update.example.org");
    let places = places(&site);
    let (port, socket) = (places.port, &places.socket);
    let modules = ["mpm_event", "proxy", "proxy_fcgi"];
    // What an operator may have set for all hosts.
    let for_all = "ProxyErrorOverride On\nErrorDocument 404 \"no such page\"\nIncludeOptional";
    let main = main_file(&site, port, &modules).replace("IncludeOptional", for_all);
    fs::write(site.path("apache.conf"), main).unwrap();
    for reuse in ["timeout=15", "timeout=15 enablereuse=on max=4"] {
        let host = format!("<VirtualHost *:{port}>");
        let further = [("<VirtualHost *:80>", host.as_str()), ("timeout=15", reuse)];
        places.write(SITE, "apache/bowline.conf", &further);
        let bowline = site.listen();
        fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).unwrap();
        let mut web = start(&site, port);
        everything_arrives(&site, &web);
        no_token_anywhere(&site);
        drop(bowline);
        errors_keep_tokens_out(&site, &web, socket);
        web.process.signal("TERM");
        web.process.end();
    }
}

#[test]
fn mod_fcgid_starts_it_and_passes_everything_on() {
    let site = Site::new();
    open_to_www_data(&site);
    site.configure("http://update.example.org");
    let port = places(&site).port;
    let directory = site.path("").display().to_string();
    let directory = directory.trim_end_matches('/');
    let executable = copy(&site);
    let text = format!(
        "FcgidIPCDir {directory}/fcgid\nFcgidProcessTableFile {directory}/fcgid/shm\n\
         FcgidInitialEnv BOWLINE_CONFIG {}\nLogLevel crit\nSetEnv ap_trust_cgilike_cl 1\n\
         ScriptAliasMatch \"^\" \"{bowline}\"\n\
         <Location \"/\">\nSetHandler fcgid-script\nOptions ExecCGI\nFcgidWrapper \"{bowline}\" virtual\n\
         Require all granted\nCGIPassAuth On\n</Location>\n",
        site.config().display(),
        bowline = executable.display(),
    );
    fs::create_dir_all(site.path("apache")).unwrap();
    fs::create_dir_all(site.path("fcgid")).unwrap();
    fs::write(site.path("apache/bowline.conf"), text).unwrap();
    fs::write(
        site.path("apache.conf"),
        main_file(&site, port, &["mpm_event", "fcgid"]),
    )
    .unwrap();
    // Here it runs as the user of the web server, who writes registry and log.
    let owned = Command::new("chown")
        .args(["-R", "www-data"])
        .args(["registry", "fcgid", "."].map(|name| site.path(name)))
        .status();
    assert!(owned.unwrap().success());
    let mut web = start(&site, port);
    everything_arrives(&site, &web);
    no_token_anywhere(&site);
    web.process.signal("TERM");
    web.process.end();
    // Nothing can be started: mod_fcgid tries for a minute then, sometimes without a word.
    spoil(&executable);
    let web = start(&site, port);
    let path = site.update("203.0.113.30");
    let referer = format!("http://127.0.0.1{path}");
    for arguments in [["--referer", referer.as_str()], ["-X", "PROPFIND"]] {
        let out = web.ask(&path, &[&arguments[..], &["--max-time", "5"]].concat());
        let answer = String::from_utf8_lossy(&out.stdout);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 50"),
            "{answer}"
        );
    }
    no_token_anywhere(&site);
}

/// The executable at a place of the site's own, from where it can be taken away.
fn copy(site: &Site) -> PathBuf {
    let executable = site.path("bowline-copy");
    let made = Command::new("install")
        .args(["-m755", env!("CARGO_BIN_EXE_bowline")])
        .arg(&executable)
        .status();
    assert!(made.unwrap().success());
    executable
}

/// Makes it something that cannot be run.
fn spoil(executable: &Path) {
    fs::remove_file(executable).unwrap();
    fs::write(executable, "#!/nowhere\n").unwrap();
    fs::set_permissions(executable, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn mod_cgid_and_mod_cgi_run_it_and_no_token_gets_into_a_log() {
    let site = Site::new();
    open_to_www_data(&site);
    site.configure("http://update.example.org");
    let executable = copy(&site);
    let owned = Command::new("chown")
        .args(["-R", "www-data"])
        .args(["registry", "."].map(|name| site.path(name)))
        .status();
    assert!(owned.unwrap().success());
    for modules in [["mpm_event", "cgid"], ["mpm_prefork", "cgi"]] {
        let places = places(&site);
        let port = places.port;
        let host = format!("<VirtualHost *:{port}>");
        let program = executable.display().to_string();
        let config = format!(
            "SetEnv BOWLINE_CONFIG {}\n    SetEnv no-gzip 1",
            site.config().display()
        );
        let further = [
            ("<VirtualHost *:80>", host.as_str()),
            ("/usr/bin/bowline", &program),
            ("SetEnv no-gzip 1", &config),
        ];
        places.write(CGI, "apache/bowline.conf", &further);
        let socket = format!("ScriptSock {}\n", site.path("cgid.sock").display());
        let socket = if modules.contains(&"cgid") {
            socket
        } else {
            String::new()
        };
        let main = main_file(&site, port, &modules) + &socket;
        fs::write(site.path("apache.conf"), main).unwrap();
        let mut web = start(&site, port);
        everything_arrives(&site, &web);
        no_token_anywhere(&site);
        spoil(&executable);
        errors_keep_tokens_out(&site, &web, &site.path("none.sock"));
        copy(&site);
        web.process.signal("TERM");
        web.process.end();
    }
}
