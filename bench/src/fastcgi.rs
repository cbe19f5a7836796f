//! FastCGI: a responder that stays, behind nginx.

use crate::Trouble;
use crate::bowline::{Site, address, host};
use crate::dns;
use crate::knot::{Knot, OPEN};
use crate::load::{Visitor, throughput};
use crate::options::Effort;
use crate::place::Place;
use crate::process::Server;
use crate::report::{Figure, Report, Target};
use crate::sample::Sample;
use crate::web::{Web, hello_responder};

/// How many hosts the site has.
const HOSTS: usize = 10_000;
/// The first so many have their address already.
const UNCHANGED: usize = 500;
/// Addresses from here on are nobody's yet.
const FRESH: usize = 1 << 20;
/// So many changes at most are sent to the bare name server in a block.
const UPDATES: usize = 500;
/// So many messages are on their way to the bare name server.
const OUTSTANDING: usize = 32;

/// Measures it.
pub(crate) fn measure(place: &Place, effort: Effort, report: &mut Report) -> Result<(), Trouble> {
    let zone = "fastcgi.example.org";
    let knot = Knot::start(place, "fastcgi-knot", &[(zone, 0)])?;
    let site = Site::new(place, &knot, "fastcgi", zone, HOSTS)?;
    let responder = site.responder()?;
    let (_hello, hello) = hello_responder(place)?;
    let sockets = [
        ("/hello".to_owned(), hello),
        (format!("/{}/", site.name()), site.socket()),
    ];
    let nginx = Web::nginx(place, "fastcgi-nginx", &sockets)?;
    let apache = Web::apache(place, &knot, &site)?;
    let mut client = nginx.client();
    for number in 0..UNCHANGED {
        client.get(&site.visit(number, address(number)))?;
    }
    let changed_host = |visit: usize| UNCHANGED + visit % (HOSTS - UNCHANGED);
    let hello = Visitor::new(nginx.port, "hello", |_| "/hello".into());
    let unchanged = Visitor::new(nginx.port, "nochg", |visit| {
        let number = visit % UNCHANGED;
        site.visit(number, address(number))
    });
    let changed = Visitor::new(nginx.port, "good", |visit| {
        site.visit(changed_host(visit), address(FRESH + visit))
    });
    let wsgi = Visitor::new(apache.port, "SUCCESS", |visit| {
        format!(
            "/wsgi/{}/bench/{}",
            host(changed_host(visit)),
            address(FRESH + visit)
        )
    });
    let mut visitors = [(hello, 0), (unchanged, 0), (changed, 0), (wsgi, 0)];
    for (connections, counts, updates) in [
        (1, [500, 500, 100, 20], 100),
        (32, [2000, 2000, 1000, 60], UPDATES),
    ] {
        for (visitor, count) in visitors.iter_mut().zip(counts) {
            visitor.1 = count;
        }
        let mut samples = vec![Sample::default(); visitors.len()];
        let mut raw = Sample::default();
        for round in 0..effort.of(3, 15) {
            let block = throughput(&visitors, connections, 1)?;
            for (sample, block) in samples.iter_mut().zip(&block) {
                sample.extend(block);
            }
            raw.push(bare_updates(
                &knot,
                connections.min(OUTSTANDING),
                updates,
                round + connections,
            )?);
        }
        add(report, connections, &samples, &raw)?;
    }
    let [_, (unchanged, _), ..] = visitors;
    memory(effort, report, &responder, unchanged)
}

/// The responder's memory: the most, and before and after many more visits.
fn memory(
    effort: Effort,
    report: &mut Report,
    responder: &Server,
    unchanged: Visitor<'_>,
) -> Result<(), Trouble> {
    let visits = effort.of(20_000, 1_000_000);
    let before = responder.memory()?;
    throughput(&[(unchanged, visits)], OUTSTANDING, 1)?;
    report.add(Figure {
        name: "fastcgi.memory_after_visits".into(),
        what: format!("FastCGI, memory after {visits} more visits"),
        unit: "MiB",
        sample: responder.memory()?.into(),
        reference: Some(("before_them", before.into())),
        target: Some(Target::AtMost(1.05)),
    });
    report.add(Figure {
        name: "fastcgi.memory".into(),
        what: format!("FastCGI, peak memory of the responder, {HOSTS} hosts"),
        unit: "MiB",
        sample: responder.peak()?.into(),
        reference: None,
        target: Some(Target::AtMost(12.0)),
    });
    Ok(())
}

/// Changes in a second that the name server takes from a sender which waits for nothing
/// else. Each block has its own addresses: what changes nothing costs nothing.
fn bare_updates(knot: &Knot, open: usize, updates: usize, block: usize) -> Result<f64, Trouble> {
    let mut done = 0;
    let message = |number| dns::update(OPEN, &host(number), address(block * UPDATES + number));
    let took = dns::exchange(knot.port, updates, open, message, |_, answer| {
        done += usize::from(dns::is_done(answer));
    })?;
    match done == updates {
        true => Ok(updates as f64 / took.as_secs_f64()),
        false => Err("the name server refused an update".into()),
    }
}

fn add(
    report: &mut Report,
    connections: usize,
    samples: &[Sample],
    raw: &Sample,
) -> Result<(), Trouble> {
    let [hello, unchanged, changed, wsgi] = samples else {
        return Err("a sample is missing".into());
    };
    let (unchanged_bound, changed_bound) = match connections {
        1 => (0.6, None),
        _ => (0.7, Some(Target::AtLeast(0.6))),
    };
    let unchanged_bound = Some(Target::AtLeast(unchanged_bound));
    let wsgi_bound = (connections == 1).then_some(Target::AtLeast(15.0));
    let compared = [
        (
            "unchanged",
            "unchanged",
            unchanged,
            "c_responder",
            hello,
            unchanged_bound,
        ),
        (
            "unchanged_beside_wsgi",
            "unchanged",
            unchanged,
            "wsgi_script",
            wsgi,
            wsgi_bound,
        ),
        (
            "changed",
            "changed",
            changed,
            "bare_updates",
            raw,
            changed_bound,
        ),
        (
            "changed_beside_wsgi",
            "changed",
            changed,
            "wsgi_script",
            wsgi,
            None,
        ),
    ];
    for (name, what, ours, reference, against, target) in compared {
        report.add(Figure {
            name: format!("fastcgi.{name}.throughput_{connections}"),
            what: match connections {
                1 => format!("FastCGI behind nginx, {what}, 1 connection"),
                _ => format!("FastCGI behind nginx, {what}, {connections} connections"),
            },
            unit: "/s",
            sample: ours.clone(),
            reference: Some((reference, against.clone())),
            target,
        });
    }
    Ok(())
}
