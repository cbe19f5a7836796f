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
