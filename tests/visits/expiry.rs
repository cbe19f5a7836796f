//! A host that expires just when its client comes.

use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::upkeep::Word;

use crate::relay::relayed;
use crate::support::site::Site;

const HOUR: Span = Span::from_seconds(3600);
/// A moment later it is time.
const NEARLY: Span = Span::from_seconds(3597);

#[test]
fn who_is_told_that_nothing_changed_keeps_the_address() {
    for (silent, later) in [(HOUR, 0), (NEARLY, 5)] {
        let site = Site::new();
        let settings = Settings {
            expire: Some(HOUR),
            ..Settings::default()
        };
        let home = site.add_with("home", settings);
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        let heard = Timestamp::now().minus(silent).seconds();
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let times = "UPDATE host SET last_seen = ?1, last_change = ?1";
        db.execute(times, [heard]).unwrap();
        let said = relayed(
            &site,
            |message| {
                // As a round of upkeep does while the name server is asked.
                let now = Timestamp::now().plus(Span::from_seconds(later));
                let mut registry = site.registry();
                registry.expire(home.id, Span::ZERO, now).unwrap();
                message.pass()
            },
            || site.visit(&home.with("203.0.113.1")).said(),
        );
        assert_eq!(said, "200 nochg 203.0.113.1");
        assert_eq!(site.wish(&home), "203.0.113.1");
        site.round(Word::Registry);
        assert_eq!(site.dns("home"), "203.0.113.1");
    }
}
