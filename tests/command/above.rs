//! Names below and above those of other owners.

use crate::place::Place;

#[test]
fn names_below_a_host_of_another_owner() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("owner add ben");
    it.done("host add home --owner anna");
    it.done("host add nas.home --owner anna");
    it.done("host add web");
    for (verb, upper) in [
        ("host add a.home", "home"),
        ("host add d.home --owner ben", "home"),
        ("host add b.a.nas.home --owner ben", "nas.home"),
        ("host add a.web --owner ben", "web"),
        ("host rename web web.home", "home"),
        ("host set nas.home --owner ben", "home"),
        ("host set nas.home --owner -", "home"),
    ] {
        let ran = it.run(verb);
        assert_eq!(ran.code, 1, "{verb}");
        assert!(
            ran.err.contains(&format!(
                " is below {upper}.dyn.example.org, which is another owner's\nhint: whoever has {upper}.dyn"
            )),
            "{verb}: {}",
            ran.err
        );
        it.done(&format!("{verb} --below"));
        if verb.contains("nas.home --owner") {
            it.done("host set nas.home --owner anna --below");
        }
    }
    it.done("host add c.home --owner anna");
    // A removed host is above nothing.
    it.done("host remove web.home");
}

#[test]
fn names_above_a_host_of_another_owner() {
    let it = Place::new();
    for verb in [
        "owner add anna",
        "owner add ben",
        "host add a.home --owner anna",
        "host add b.a.flat",
        "host add hut --owner ben",
        "host add c.hut --owner ben",
        // Ends alike, and is below none of them.
        "host add x.myhome --owner ben",
    ] {
        it.done(verb);
    }
    for (verb, upper, lower, whose) in [
        ("host add home --owner ben", "home", "a.home", "is anna's"),
        ("host add home", "home", "a.home", "is anna's"),
        (
            "host add flat --owner ben",
            "flat",
            "b.a.flat",
            "has no owner",
        ),
        ("host rename hut home", "home", "a.home", "is anna's"),
        ("host set hut --owner anna", "hut", "c.hut", "is ben's"),
    ] {
        let (upper, lower) = (
            format!("{upper}.dyn.example.org"),
            format!("{lower}.dyn.example.org"),
        );
        let ran = it.run(verb);
        let expected = format!(
            "bowline: {upper} is above {lower}, which {whose}\n\
             hint: whoever has {upper} can obtain certificates for {lower}; --below does it all the same\n"
        );
        assert_eq!((ran.code, ran.err), (1, expected), "{verb}");
    }
    it.done("host add a.flat");
    it.done("host add home --owner anna");
    it.done("host set hut --owner anna --below");
    it.done("host rename hut hut.a.flat --below");
    it.done("host add flat --owner ben --below");
}

#[test]
fn a_list_may_be_above_what_it_agrees_to_below() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("host add a.home --owner anna");
    let above = "home.dyn.example.org is above a.home.dyn.example.org, which is anna's";
    let ran = it.run_with("host import -", "name,token\nhome,0123456789abcdef\n");
    assert!(ran.code == 1 && ran.err.contains(above), "{ran:?}");
    // Whichever comes first, and whichever of both agrees.
    for list in [
        "name,below,token\nhome,yes,0123456789abcdef\n",
        "name,below,token\nhome,,0123456789abcdef\na.home,yes,\n",
        "name,below,token\na.home,yes,\nhome,,0123456789abcdef\n",
    ] {
        let ran = it.run_with("host import -", list);
        assert_eq!(ran.code, 0, "{ran:?}");
        it.done("host remove home");
        let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
        registry.execute("DELETE FROM removed_name", []).unwrap();
    }
    it.done("host add home --owner anna");
    let ran = it.run_with("host import -", "name,owner\na.home,ben\n");
    assert!(ran.err.contains("there is no owner ben"), "{ran:?}");
    it.done("owner add ben");
    let ran = it.run_with("host import -", "name,owner\nhome,ben\n");
    assert!(ran.code == 1 && ran.err.contains(above), "{ran:?}");
    let ran = it.run_with("host import -", "name,owner\nhome,ben\na.home,ben\n");
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Two owners; `f1` is Anna's `f2` by now and still means it, `a.g1` is Ben's `g2`.
fn renamed() -> Place {
    let it = Place::new();
    for verb in [
        "owner add anna",
        "owner add ben",
        "host add f1 --owner anna",
        "host rename f1 f2 --keep-old 7d",
        "host add a.g1 --owner ben",
        "host rename a.g1 g2 --keep-old 7d",
    ] {
        it.done(verb);
    }
    it
}

/// A former name is told as one.
const FORMER: [&str; 2] = [
    "is below f1.dyn.example.org, the former name of f2.dyn.example.org, which is another owner's\n\
     hint: whoever has f1.dyn.example.org",
    "g1.dyn.example.org is above a.g1.dyn.example.org, the former name of g2.dyn.example.org, which is ben's\n\
     hint: whoever has g1.dyn.example.org",
];

#[test]
fn a_former_name_counts_like_a_name() {
    let it = renamed();
    it.done("host add web --owner ben");
    it.done("host add hut.f1 --owner anna");
    let [below, above] = FORMER;
    for (verb, why) in [
        ("host add shop.f1 --owner ben", below),
        ("host add b.shop.f1", below),
        ("host rename web web.f1", below),
        ("host set hut.f1 --owner ben", below),
        ("host add g1 --owner anna", above),
        ("host rename hut.f1 g1", above),
    ] {
        let ran = it.run(verb);
        assert!(ran.code == 1 && ran.err.contains(why), "{verb}: {ran:?}");
    }
    // Those of the same owner ask nobody, nor does a name that has become free.
    it.done("host add b.f1 --owner anna");
    it.done("host add g1 --owner ben");
    it.done("host add shop.f1 --owner ben --below");
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    registry
        .execute("UPDATE former_name SET until = 1", [])
        .unwrap();
    it.done("host add c.f1 --owner ben");
}

#[test]
fn a_host_that_changes_hands_takes_its_former_names_along() {
    let it = renamed();
    it.done("host add hut.f1 --owner anna");
    it.done("host add g1 --owner ben");
    for (verb, why) in [
        (
            "host set f2 --owner ben",
            "f1.dyn.example.org is above hut.f1.dyn.example.org, which is anna's",
        ),
        (
            "host set g2 --owner anna",
            "a.g1.dyn.example.org is below g1.dyn.example.org, which is another owner's",
        ),
    ] {
        let ran = it.run(verb);
        assert!(ran.code == 1 && ran.err.contains(why), "{verb}: {ran:?}");
        it.done(&format!("{verb} --below"));
    }
    // One that is below its own former name is below itself.
    it.done("host add k --owner anna");
    it.done("host rename k x.k --keep-old 7d");
    it.done("host set x.k --owner ben");
    it.done("host rename x.k k --keep-old 7d");
    it.done("host set k --owner anna");
}

#[test]
fn a_list_knows_former_names() {
    let it = renamed();
    let [below, _] = FORMER;
    let ran = it.run_with(
        "host import -",
        "name,owner,token\nshop.f1,ben,0123456789abcdef\n",
    );
    let why = below.split('\n').next().unwrap();
    assert!(ran.code == 1 && ran.err.contains(why), "{ran:?}");
    let ran = it.run_with(
        "host import -",
        "name,owner,below,token\nshop.f1,ben,yes,0123456789abcdef\n",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    // So that it can be imported again, it says what was agreed to.
    let exported = it.done("host export");
    let shop = exported.lines().find(|line| line.contains("shop.f1"));
    assert!(shop.unwrap().contains("\"below\":true"), "{exported}");
    it.done("host add hut.f1 --owner anna");
    for (list, why) in [
        (
            "name,owner\nf2,ben\n",
            "f1.dyn.example.org is above hut.f1.dyn.example.org, which is anna's",
        ),
        (
            "name,owner,token\ng1,anna,fedcba9876543210\n",
            "g1.dyn.example.org is above a.g1.dyn.example.org, the former name of g2",
        ),
    ] {
        let ran = it.run_with("host import -", list);
        assert!(ran.code == 1 && ran.err.contains(why), "{list}: {ran:?}");
    }
    // All of it at once is nobody else's.
    let list = "name,owner,token\nf2,ben,\nhut.f1,ben,\ng2,anna,\ng1,anna,fedcba9876543210\n";
    let ran = it.run_with("host import -", list);
    assert_eq!(ran.code, 0, "{ran:?}");
}
