//! lighttpd before a real Knot.

use std::fs;
use std::process::Command;

use crate::site::Site;
use crate::web::{Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, places};

#[test]
fn it_passes_everything_on() {
    let site = Site::new();
    site.configure("http://update.example.org");
    let places = places(&site);
    let (port, socket) = (places.port, &places.socket);
    let text = format!(
        "server.modules = ( \"mod_fastcgi\" )\nserver.document-root = \"{}\"\n\
         server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.errorlog = \"{}\"\n\
         fastcgi.server = ( \"/\" => (( \"socket\" => \"{}\", \"check-local\" => \"disable\", \
         \"fix-root-scriptname\" => \"enable\" )))\n",
        site.path("run").display(),
        site.path("lighttpd.log").display(),
        socket.display(),
    );
    let file = site.path("lighttpd.conf");
    fs::write(&file, text).unwrap();
    let bowline = site.listen();
    let web = Web::start(Command::new("lighttpd").arg("-D").arg("-f").arg(file), port);
    everything_arrives(&site, &web);
    no_token_anywhere(&site);
    drop(bowline);
    errors_keep_tokens_out(&site, &web, socket);
}
