//! Beside what the system's web servers have: sites of the same name, and none at all.

use std::fs;

use bowline::hint::Hint as _;
use bowline::setup::WebServer;
use bowline::setup::files::Written;

use crate::beside::beside;
use crate::trial::Trial;

#[test]
fn without_a_web_server_there_is_no_plan() {
    let trial = Trial::new();
    let mut setup = beside(&trial, "");
    setup.place.apache_dir = trial.path("apache2");
    setup.place.nginx_dir = trial.path("nginx");
    let written = Written::load(&setup.place.written()).unwrap();
    for (web, install) in [
        (WebServer::Apache, "`apt-get install apache2` first"),
        (WebServer::Nginx, "`apt-get install nginx` first"),
    ] {
        setup.web = Some(web);
        let error = setup.plan(&written).unwrap_err();
        assert!(error.to_string().contains("sites-available"), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains(install) && hint.contains("--web none"));
    }
    for sites in ["apache2/sites-available", "nginx/sites-available"] {
        fs::create_dir_all(trial.path(sites)).unwrap();
    }
    setup.plan(&written).unwrap();
    setup.web = Some(WebServer::Apache);
    setup.plan(&written).unwrap();
}

#[test]
fn the_default_site_is_spoken_of_while_it_is_there() {
    let trial = Trial::new();
    let mut setup = beside(&trial, "");
    setup.place.apache_dir = trial.path("apache2");
    setup.place.nginx_dir = trial.path("nginx");
    for (web, server, site) in [
        (WebServer::Apache, "apache2", "000-default.conf"),
        (WebServer::Nginx, "nginx", "default"),
    ] {
        setup.web = Some(web);
        for directory in ["sites-available", "sites-enabled"] {
            fs::create_dir_all(trial.path(server).join(directory)).unwrap();
        }
        let site = trial.path(server).join("sites-enabled").join(site);
        let told = || {
            let written = Written::load(&setup.place.written()).unwrap();
            let notes = setup.plan(&written).unwrap().notes;
            notes.iter().any(|note| note.contains("without a Host"))
        };
        assert!(!told(), "{server}");
        std::os::unix::fs::symlink("../sites-available/default", &site).unwrap();
        assert!(told(), "{server}");
    }
}

#[test]
fn a_site_with_the_same_name_is_told_or_kept() {
    let trial = Trial::new();
    let mut setup = beside(&trial, "");
    setup.place.apache_dir = trial.path("apache2");
    setup.place.nginx_dir = trial.path("nginx");
    let (apache, nginx) = (
        "<VirtualHost *:80>\nServerName update.example.org\n</VirtualHost>\n",
        "server {\n    listen 80;\n    server_name update.example.org;\n}\n",
    );
    for (web, file, text, way) in [
        (
            WebServer::Apache,
            "apache2/sites-enabled/old.conf",
            apache,
            "",
        ),
        (
            WebServer::Apache,
            "apache2/sites-enabled/aaa.conf",
            apache,
            "`a2dissite aaa`",
        ),
        (WebServer::Nginx, "nginx/sites-enabled/old", nginx, ""),
        (WebServer::Nginx, "nginx/sites-enabled/aaa", nginx, "`rm "),
        (
            WebServer::Nginx,
            "nginx/conf.d/old.conf",
            nginx,
            "old.conf.off`",
        ),
    ] {
        let file = trial.path(file);
        for directory in [
            file.parent().unwrap(),
            &file.parent().unwrap().with_file_name("sites-available"),
        ] {
            fs::create_dir_all(directory).unwrap();
        }
        fs::write(&file, text).unwrap();
        setup.web = Some(web);
        let written = Written::load(&setup.place.written()).unwrap();
        if way.is_empty() {
            // It would be hidden by ours, unless it is already.
            let error = setup.plan(&written).unwrap_err();
            let said = format!("{} has a site with the name update", file.display());
            assert!(error.to_string().starts_with(&said), "{error}");
            assert!(error.hint().unwrap().contains("a name of its own"));
            let ours = match web {
                WebServer::Apache => "bowline.conf",
                WebServer::Nginx => "bowline",
            };
            let ours = file.with_file_name(ours);
            std::os::unix::fs::symlink("../sites-available/ours", &ours).unwrap();
            setup.plan(&written).unwrap();
            fs::remove_file(&ours).unwrap();
        } else {
            let notes = setup.plan(&written).unwrap().notes;
            let mut notes = notes.iter();
            let told = notes.find(|note| note.contains("update.example.org too"));
            assert!(told.unwrap().contains(way), "{file:?}: {told:?}");
        }
        fs::remove_file(&file).unwrap();
    }
}
