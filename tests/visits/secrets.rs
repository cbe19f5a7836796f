//! No secret in what bowline writes: not in its log, its registry or its answers.
//!
//! Every test of these visits ends with the same search, see [`Site`].

use std::fs;

use bowline::span::Span;
use bowline::time::Timestamp;

use crate::support::site::Site;

#[test]
fn tokens_in_every_place() {
    let site = Site::new();
    let home = site.add("home");
    // One that is nobody's, one that was, one that is.
    let (unknown, renewed) = (site.token(), site.token());
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.registry()
        .rotate(
            home.id,
            &site.digest(&renewed),
            Span::ZERO,
            Timestamp::now(),
        )
        .unwrap();
    for token in [&home.token, &unknown, &renewed] {
        let secret = token.secret();
        for path in [
            format!("/{secret}"),
            format!("/{secret}/{secret}"),
            format!("/{secret}/{secret}/{secret}"),
            format!("/{secret}?myip={secret}"),
            format!("/{secret}?hostname={secret}&myip=203.0.113.2"),
            format!("/{}?{secret}", renewed.secret()),
            format!("/nic/update?hostname={secret}"),
            format!("/ip?{secret}"),
            format!("/x{secret}"),
        ] {
            let request = || site.get(&path).set("HTTP_REFERER", secret);
            request().run();
            request().set("HTTP_SEC_FETCH_MODE", "navigate").run();
            request().set("HTTP_X_FORWARDED_FOR", secret).run();
            request()
                .arguments(&[secret])
                .set("REMOTE_ADDR", secret)
                .run();
            request().method("BREW").run();
        }
    }
    assert!(site.log().contains("result=badauth"));
    // Whatever else goes wrong.
    fs::write(site.path("state/bowline.db-wal"), "").unwrap();
    site.visit(&format!("/{}", renewed.secret()));
    fs::write(site.path("lookup.key"), home.token.secret()).unwrap();
    site.visit(&format!("/{}", renewed.secret()));
    assert!(
        site.last_line().contains("result=911"),
        "{}",
        site.last_line()
    );
    assert_eq!(site.secrets_written(), Vec::<String>::new());
    // The search finds what is there.
    fs::write(
        site.path("state/found"),
        format!("x{}x", home.token.secret()),
    )
    .unwrap();
    assert_eq!(site.secrets_written().len(), 1);
    fs::remove_file(site.path("state/found")).unwrap();
}
