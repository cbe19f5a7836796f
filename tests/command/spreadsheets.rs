//! Lists as spreadsheets and people write them.

use std::fs;

use serde_json::json;

use crate::place::Place;

#[test]
fn a_list_from_a_spreadsheet_with_other_separators() {
    for separator in [';', '\t'] {
        let (it, knot) = crate::published::served();
        let list = "name,ipv4,note\r\nhome,203.0.113.7,\"the; garden\"\r\nnas,,\r\n";
        let list = format!("\u{feff}{}", list.replace(',', &separator.to_string()));
        it.write("list.csv", &list);
        let done = it.json("host import list.csv --out tokens");
        assert_eq!((&done["added"], &done["tokens"]), (&json!(2), &json!(2)));
        assert_eq!(it.json("host show home")["note"], json!("the; garden"));
        assert_eq!(knot.kdig("home.dyn.example.org", "A"), ["203.0.113.7"]);
    }
}

/// As spreadsheets save a list where nobody tells them otherwise.
#[test]
fn a_list_in_another_encoding_says_where() {
    let it = Place::new();
    let list = b"name;note\r\nanna;at home\r\nj;J\xfcrgen\r\n";
    fs::write(it.file("list.csv"), list).unwrap();
    let ran = it.run("host import list.csv --dry-run");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: list.csv: line 3 is no UTF-8\nhint: save it as UTF-8\n"
        )
    );
}

#[test]
fn blanks_that_align_the_cells_are_none_of_theirs() {
    let it = Place::new();
    it.write(
        "list",
        "name , zone            , ttl\nnas  , dyn.example.org , 60\n",
    );
    it.done("host import list --out tokens");
    let host = &it.json("host list")[0];
    assert_eq!(
        (&host["name"], &host["ttl"]),
        (&json!("nas.dyn.example.org"), &json!(60))
    );
}
