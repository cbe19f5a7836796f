//! The shipped files of web servers, changed only where they live; nginx with its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SITE: &str = include_str!("../../nginx/bowline.conf");
const MAIN: &str = include_str!("../../nginx/nginx.conf");

/// Where the shipped files have what is to be elsewhere here.
pub struct Places {
    /// All of it is below.
    pub directory: PathBuf,
    pub port: u16,
    /// Of the responder.
    pub socket: PathBuf,
}

impl Places {
    /// A shipped file with everything below the directory, written to `name`.
    pub fn write(&self, shipped: &str, name: &str, further: &[(&str, &str)]) {
        let directory = self.directory.display().to_string();
        let directory = directory.trim_end_matches('/');
        let mut text = shipped.to_owned();
        let port = self.port.to_string();
        let socket = self.socket.display().to_string();
        let own = [
            ("/run/bowline/bowline.sock", socket.as_str()),
            ("/var/www/html", directory),
            ("/etc/letsencrypt/live/update.example.org", directory),
        ];
        for (what, there) in further.iter().copied().chain(own) {
            assert!(!what.is_empty());
            text = text.replace(what, there);
        }
        for (what, there) in [
            ("/etc/bowline", directory),
            ("/var/log/nginx", directory),
            ("/var/log/apache2", directory),
            ("@PORT@", &port),
        ] {
            text = text.replace(what, there);
        }
        let path = self.directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What is shipped for nginx.
    pub fn write_nginx(&self, further: &[(&str, &str)]) {
        fs::create_dir_all(self.directory.join("nginx/run")).unwrap();
        let port = format!("listen 127.0.0.1:{};", self.port);
        let listen = [("listen 80;", port.as_str()), ("    listen [::]:80;\n", "")];
        let further: Vec<_> = further.iter().copied().chain(listen).collect();
        self.write(SITE, "nginx/bowline.conf", &further);
        // As root it would give up its rights, and the directory is root's alone.
        let main = [("user www-data;", "user root;")];
        self.write(MAIN, "nginx/nginx.conf", &main);
    }

    /// nginx with it.
    pub fn nginx(&self) -> Command {
        let mut command = Command::new("nginx");
        command
            .arg("-c")
            .arg(self.directory.join("nginx/nginx.conf"));
        command
    }

    /// The same as a process that stays.
    pub fn stay(&self) -> Command {
        let mut command = self.nginx();
        command.args(["-g", "daemon off;"]);
        command
    }
}
