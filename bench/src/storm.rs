//! Everybody at once: all hosts get a new address, as after a provider's nightly reconnect.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Trouble;
use crate::bowline::{Site, address, host};
use crate::dns;
use crate::knot::Knot;
use crate::load::together;
use crate::options::Effort;
use crate::place::Place;
use crate::report::{Figure, Report, Target};
use crate::web::Web;

/// Addresses from here on are nobody's yet.
const FRESH: usize = 1 << 20;
/// So many questions to the name server are open at a time.
const OPEN: usize = 64;
/// Every so many hosts kdig is asked as well.
const WITNESS: usize = 200;
/// When a storm that is not over is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures it.
pub(crate) fn measure(place: &Place, effort: Effort, report: &mut Report) -> Result<(), Trouble> {
    let hosts = effort.of(2_000, 10_000);
    let zone = "storm.example.org";
    let knot = Knot::start(place, "storm-knot", &[(zone, 0)])?;
    let site = Site::new(place, &knot, "storm", zone, hosts)?;
    let responder = site.responder()?;
    let nginx = Web::nginx(
        place,
        "storm-nginx",
        &[(format!("/{}/", site.name()), site.socket())],
    )?;
    storm(&site, &knot, nginx.port, 64, "fastcgi", report)?;
    report.add(Figure {
        name: "storm.fastcgi.memory".into(),
        what: "storm, FastCGI: peak memory of the responder".into(),
        unit: "MiB",
        sample: responder.peak()?.into(),
        reference: None,
        target: Some(Target::AtMost(24.0)),
    });
    drop((nginx, responder));

    let zone = "cgi-storm.example.org";
    let knot = Knot::start(place, "cgi-storm-knot", &[(zone, 0)])?;
    let site = Site::new(place, &knot, "cgi-storm", zone, effort.of(500, 2_000))?;
    let apache = Web::apache(place, &knot, &site)?;
    storm(&site, &knot, apache.port, 16, "cgi", report)
}

/// Every host visits once; then upkeep goes round until the name server has all addresses.
fn storm(
    site: &Site<'_>,
    knot: &Knot,
    port: u16,
    connections: usize,
    name: &str,
    report: &mut Report,
) -> Result<(), Trouble> {
    let next = AtomicUsize::new(0);
    let words = Mutex::new(BTreeMap::<String, usize>::new());
    let began = Instant::now();
    together(port, connections, |client| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= site.hosts {
                return Ok(());
            }
            let answer = client.get(&site.visit(number, address(FRESH + number)))?;
            let word = answer
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            let mut words = words.lock().map_err(|_| "a client panicked")?;
            *words.entry(word).or_default() += 1;
        }
    })?;
    let visited = Instant::now();
    let mut wrong = wrong(site, knot)?;
    while wrong > 0 && visited.elapsed() < PATIENCE {
        // It fails while something is still open, which is counted here anyway.
        let _ = site.bowline(&["upkeep"]);
        sleep(Duration::from_millis(100));
        wrong = self::wrong(site, knot)?;
    }
    let right = visited.elapsed();
    let words = words.into_inner().map_err(|_| "a client panicked")?;
    let strange: usize = words
        .iter()
        .filter(|(word, _)| !["good", "nochg", "dnserr"].contains(&word.as_str()))
        .map(|(_, count)| count)
        .sum();
    let what = |what: &str| format!("storm, {}, {} hosts: {what}", label(name), site.hosts);
    let mut add = |key: &str, text: String, unit, value: f64, target| {
        report.add(Figure {
            name: format!("storm.{name}.{key}"),
            what: text,
            unit,
            sample: value.into(),
            reference: None,
            target,
        });
    };
    let took = (visited - began).as_secs_f64();
    add(
        "visits",
        what("all visits"),
        "s",
        took,
        Some(Target::AtMost(60.0)),
    );
    add(
        "right_after",
        what("DNS right after the last"),
        "s",
        right.as_secs_f64(),
        Some(Target::AtMost(20.0)),
    );
    add(
        "lost",
        what("lost"),
        "hosts",
        wrong as f64,
        Some(Target::AtMost(0.0)),
    );
    add(
        "strange_answers",
        what("neither good, nochg nor dnserr"),
        "answers",
        strange as f64,
        Some(Target::AtMost(0.0)),
    );
    for (word, count) in &words {
        add(
            &format!("answers.{word}"),
            what(word),
            "answers",
            *count as f64,
            None,
        );
    }
    Ok(())
}

/// How many hosts the name server shows another address for, or none.
fn wrong(site: &Site<'_>, knot: &Knot) -> Result<usize, Trouble> {
    let name = |number| format!("{}.{}", host(number), site.zone);
    let mut right = 0;
    dns::exchange(
        knot.port,
        site.hosts,
        OPEN,
        |number| dns::question(&name(number)),
        |number, answer| {
            right += usize::from(dns::address(answer) == Some(address(FRESH + number)));
        },
    )?;
    let wrong = site.hosts - right;
    if wrong == 0 {
        for number in (0..site.hosts).step_by(WITNESS) {
            let seen = knot.kdig(&name(number))?;
            if seen != address(FRESH + number).to_string() {
                return Err(format!("kdig sees {seen:?} at {}", name(number)).into());
            }
        }
    }
    Ok(wrong)
}

fn label(name: &str) -> &'static str {
    match name {
        "cgi" => "CGI",
        _ => "FastCGI",
    }
}
