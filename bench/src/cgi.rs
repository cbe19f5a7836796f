//! CGI: a process for every visit, behind Apache and alone.

use crate::Trouble;
use crate::bowline::{Site, address, host};
use crate::knot::{Knot, OPEN};
use crate::load::{Visitor, latency, throughput};
use crate::options::Effort;
use crate::place::Place;
use crate::report::{Figure, Report, Target};
use crate::sample::Sample;
use crate::spawn::{Program, instructions, runs};
use crate::web::Web;

/// How many hosts the site has.
const HOSTS: usize = 2000;
/// The first so many have their address already.
const UNCHANGED: usize = 50;
/// So many connections at a time.
const CONNECTIONS: usize = 8;
/// Addresses from here on are nobody's yet.
const FRESH: usize = 1 << 20;

/// Measures it.
pub(crate) fn measure(place: &Place, effort: Effort, report: &mut Report) -> Result<(), Trouble> {
    let zone = "cgi.example.org";
    let told_zone = "cgi-told.example.org";
    let knot = Knot::start(place, "cgi-knot", &[(zone, 0), (told_zone, 0)])?;
    let site = Site::new(place, &knot, "cgi", zone, HOSTS)?;
    let told = Site::new(place, &knot, "cgi-told", told_zone, HOSTS)?;
    told.tell()?;
    behind_apache(place, effort, report, &knot, &site)?;
    alone(place, effort, report, &knot, &site, &told)
}

fn behind_apache(
    place: &Place,
    effort: Effort,
    report: &mut Report,
    knot: &Knot,
    site: &Site<'_>,
) -> Result<(), Trouble> {
    let web = Web::apache(place, knot, site)?;
    let mut client = web.client();
    for number in 0..UNCHANGED {
        client.get(&site.visit(number, address(number)))?;
    }
    let visitor =
        |answer, path: Box<dyn Fn(usize) -> String + Sync>| Visitor::new(web.port, answer, path);
    let changed_host = |visit: usize| UNCHANGED + visit % (HOSTS - UNCHANGED);
    let visitors = [
        visitor("hello", Box::new(|_| "/hello".into())),
        visitor(
            "nochg",
            Box::new(|visit| {
                let number = visit % UNCHANGED;
                site.visit(number, address(number))
            }),
        ),
        visitor(
            "good",
            Box::new(|visit| site.visit(changed_host(visit), address(FRESH + visit))),
        ),
        visitor(
            "good",
            Box::new(|visit| {
                let (host, address) = (host(changed_host(visit)), address(FRESH + visit));
                format!("/update?{host}&{address}")
            }),
        ),
        visitor(
            "SUCCESS",
            Box::new(|visit| {
                let (host, address) = (host(changed_host(visit)), address(FRESH + visit));
                format!("/wsgi/{host}/bench/{address}")
            }),
        ),
    ];
    let samples = latency(&visitors, effort.of(60, 500))?;
    let what = |ours: &str| format!("CGI behind Apache, {ours}, 1 connection");
    let bounds = [
        Some(Target::AtMost(1.1)),
        Some(Target::AtMost(1.15)),
        Some(Target::AtMost(0.5)),
    ];
    add(report, "latency", "µs", what, &samples, bounds)?;
    let visits = [200, 200, 100, 100, 50];
    let visitors: Vec<_> = visitors.into_iter().zip(visits).collect();
    let samples = throughput(&visitors, CONNECTIONS, effort.of(3, 15))?;
    let what = |ours: &str| format!("CGI behind Apache, {ours}, {CONNECTIONS} connections");
    add(report, "throughput", "/s", what, &samples, [None; 3])
}

/// The figures of hello, unchanged, changed, update and wsgi.
fn add(
    report: &mut Report,
    kind: &str,
    unit: &'static str,
    what: impl Fn(&str) -> String,
    samples: &[Sample],
    [unchanged_bound, changed_bound, wsgi_bound]: [Option<Target>; 3],
) -> Result<(), Trouble> {
    let [hello, unchanged, changed, update, wsgi] = samples else {
        return Err("a sample is missing".into());
    };
    let mut add = |name: &str, ours, sample: &Sample, reference, against: &Sample, target| {
        report.add(Figure {
            name: format!("cgi.{name}.{kind}"),
            what: what(ours),
            unit,
            sample: sample.clone(),
            reference: Some((reference, against.clone())),
            target,
        });
    };
    add(
        "unchanged",
        "unchanged",
        unchanged,
        "c_hello",
        hello,
        unchanged_bound,
    );
    add(
        "changed",
        "changed",
        changed,
        "c_update",
        update,
        changed_bound,
    );
    add(
        "unchanged_beside_wsgi",
        "unchanged",
        unchanged,
        "wsgi_script",
        wsgi,
        wsgi_bound,
    );
    add(
        "changed_beside_wsgi",
        "changed",
        changed,
        "wsgi_script",
        wsgi,
        None,
    );
    Ok(())
}

fn alone(
    place: &Place,
    effort: Effort,
    report: &mut Report,
    knot: &Knot,
    site: &Site<'_>,
    told: &Site<'_>,
) -> Result<(), Trouble> {
    let fixed = (format!("{:09}", 1), address(1).to_string());
    let update = vec![
        format!("UPDATE_ZONE={OPEN}"),
        format!("UPDATE_PORT={}", knot.port),
        format!("QUERY_STRING=h{{host}}&{{ip}}"),
    ];
    // What ran just before shows in the time of a run: both sites come after the same.
    let group = |site: &Site<'_>| {
        let mut elsewhere = site.variables("x", "x");
        elsewhere.retain(|variable| !variable.starts_with("REQUEST_URI="));
        elsewhere.push("REQUEST_URI=/robots.txt".into());
        [
            Program::new("nothing", Vec::new()),
            Program::new("hello", Vec::new()),
            Program::new("bowline", elsewhere),
            Program::new("bowline", site.variables(&fixed.0, &fixed.1)),
            Program::new("bowline", site.variables("{host}", "{ip}")),
        ]
    };
    let programs: Vec<Program> = (group(site).into_iter().chain(group(told)))
        .chain([Program::new("update", update)])
        .collect();
    // The numbers of hosts begin where no visit through Apache has set an address.
    let rounds = effort.of(100, 600);
    let all = runs(place, &programs, rounds, UNCHANGED)?;
    let [
        nothing,
        hello,
        start,
        unchanged,
        changed,
        ..,
        told_unchanged,
        told_changed,
        update,
    ] = all.as_slice()
    else {
        return Err("a sample is missing".into());
    };
    let compared = [
        (
            "start",
            "the process alone, no secret in the path",
            start,
            "c_nothing",
            nothing,
            None,
        ),
        (
            "unchanged",
            "the process alone, unchanged",
            unchanged,
            "c_nothing",
            nothing,
            Some(Target::AtMost(0.8)),
        ),
        (
            "unchanged_beside_hello",
            "the process alone, unchanged",
            unchanged,
            "c_hello",
            hello,
            None,
        ),
        (
            "changed",
            "the process alone, changed",
            changed,
            "c_update",
            update,
            None,
        ),
        (
            "unchanged_told",
            "the process alone, unchanged, with notifications",
            told_unchanged,
            "without",
            unchanged,
            None,
        ),
        (
            "changed_told",
            "the process alone, changed, with notifications",
            told_changed,
            "without",
            changed,
            None,
        ),
    ];
    for (name, what, ours, reference, against, target) in compared {
        report.add(Figure {
            name: format!("process.{name}.time"),
            what: what.into(),
            unit: "µs",
            sample: ours.time.clone(),
            reference: Some((reference, against.time.clone())),
            target,
        });
    }
    for (name, what, ours) in [
        ("unchanged", "peak memory, unchanged", unchanged),
        ("changed", "peak memory, changed", changed),
    ] {
        report.add(Figure {
            name: format!("process.{name}.memory"),
            what: what.into(),
            unit: "MiB",
            sample: ours.memory.largest().into(),
            reference: None,
            target: Some(Target::AtMost(5.0)),
        });
    }
    place.owned("valgrind")?;
    let mut counted = Vec::new();
    for program in &programs {
        counted.push(instructions(place, program)?);
    }
    let [_, hello, start, unchanged, .., told_unchanged, _, _] = counted.as_slice() else {
        return Err("a count is missing".into());
    };
    for (name, what, ours, reference, against) in [
        (
            "start",
            "instructions, no secret in the path",
            start,
            "c_hello",
            hello,
        ),
        (
            "unchanged",
            "instructions, unchanged",
            unchanged,
            "c_hello",
            hello,
        ),
        (
            "unchanged_told",
            "instructions, unchanged, with notifications",
            told_unchanged,
            "without",
            unchanged,
        ),
    ] {
        report.add(Figure {
            name: format!("process.{name}.instructions"),
            what: what.into(),
            unit: "k",
            sample: (*ours).into(),
            reference: Some((reference, (*against).into())),
            target: None,
        });
    }
    Ok(())
}
