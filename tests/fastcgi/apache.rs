//! Apache with mod_proxy_fcgi, mod_fcgid, and lighttpd, before a real Knot.

use std::fs;
use std::process::Command;

use crate::site::Site;
use crate::web::{
    Places, Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, port_and_socket,
};

const SITE: &str = include_str!("../../apache/bowline-fastcgi.conf");

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
    let modules = ["mpm_event", "authz_core", "alias", "env"]
        .iter()
        .chain(modules);
    let load = modules.map(|module| {
        format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n")
    });
    load.collect::<String>() + &text
}

fn apache(site: &Site) -> Command {
    let mut command = Command::new("apache2");
    command.arg("-f").arg(site.path("apache.conf"));
    command
}

/// Opens the directory for the user that Apache becomes.
fn open_to_www_data(site: &Site) {
    use std::os::unix::fs::PermissionsExt;
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
    let (port, socket) = port_and_socket(&site);
    let places = Places {
        site: &site,
        port,
        socket: &socket,
    };
    let modules = ["proxy", "proxy_fcgi"];
    fs::write(site.path("apache.conf"), main_file(&site, port, &modules)).unwrap();
    for reuse in ["timeout=15", "timeout=15 enablereuse=on max=4"] {
        let host = format!("<VirtualHost *:{port}>");
        let further = [("<VirtualHost *:80>", host.as_str()), ("timeout=15", reuse)];
        places.write(SITE, "apache/bowline.conf", &further);
        let bowline = site.listen();
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        let mut web = start(&site, port);
        everything_arrives(&site, &web);
        no_token_anywhere(&site);
        drop(bowline);
        errors_keep_tokens_out(&site, &web, &socket);
        web.process.signal("TERM");
        web.process.end();
    }
}

#[test]
fn mod_fcgid_starts_it_and_passes_everything_on() {
    let site = Site::new();
    open_to_www_data(&site);
    site.configure("http://update.example.org");
    let (port, _) = port_and_socket(&site);
    let directory = site.path("").display().to_string();
    let directory = directory.trim_end_matches('/');
    let text = format!(
        "FcgidIPCDir {directory}/fcgid\nFcgidProcessTableFile {directory}/fcgid/shm\n\
         FcgidInitialEnv BOWLINE_CONFIG {}\nLogLevel crit\nSetEnv ap_trust_cgilike_cl 1\n\
         ScriptAliasMatch \"^\" \"{bowline}\"\n\
         <Location \"/\">\nSetHandler fcgid-script\nOptions ExecCGI\nFcgidWrapper \"{bowline}\" virtual\n\
         Require all granted\nCGIPassAuth On\n</Location>\n",
        site.config().display(),
        bowline = env!("CARGO_BIN_EXE_bowline"),
    );
    fs::create_dir_all(site.path("apache")).unwrap();
    fs::create_dir_all(site.path("fcgid")).unwrap();
    fs::write(site.path("apache/bowline.conf"), text).unwrap();
    fs::write(site.path("apache.conf"), main_file(&site, port, &["fcgid"])).unwrap();
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
}
