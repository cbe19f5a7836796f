//! Tables for `[[endpoint]]`.

use super::super::Config;
use super::*;

fn parse(endpoint: &str) -> Result<Vec<Endpoint>, String> {
    let text = format!("url = \"https://u\"\n\n[[endpoint]]\n{endpoint}\n");
    Config::parse(std::path::Path::new("/etc/bowline/bowline.toml"), &text)
        .map(|config| config.endpoints)
        .map_err(|error| error.to_string())
}

#[test]
fn what_is_not_said_is_usual() {
    use CredentialPlace::{Basic, Bearer, Path, Query};
    let endpoints = parse("path = \"/ddns\"\n[[endpoint]]\npath = \"/up/<token>/<name>/\"");
    let [plain, in_path] = endpoints.unwrap().try_into().unwrap();
    let plain: Endpoint = plain;
    assert_eq!(plain.credentials, [Basic, Bearer, Query]);
    assert_eq!(plain.params, Params::default());
    assert_eq!((plain.omitted, plain.answer), Default::default());
    assert_eq!(in_path.credentials, [Path]);
    // As long as no token is.
    assert!(parse("path = \"/abcdefghijklmno\"").is_ok());
    for (text, expected) in [
        ("credential = \"bearer\"", &[Bearer][..]),
        ("credential = [\"query\", \"basic\"]", &[Query, Basic]),
        (
            "credential = [\"query\", \"basic\"]\nparams = { password = [] }",
            &[Basic],
        ),
    ] {
        let endpoints = parse(&format!("path = \"/ddns\"\n{text}")).unwrap();
        assert_eq!(endpoints[0].credentials, expected, "{text}");
    }
}

#[test]
fn errors_name_file_line_and_what_is_legal() {
    for (text, expected) in [
        ("", "line 3: missing field `path`"),
        ("path = 3", "line 4: "),
        (
            "path = \"/a\"\nparts = 1",
            "line 5: unknown key `parts`, expected one of `path`, `credential`, `omitted`, `answer`, `params`",
        ),
        (
            "path = \"/a\"\ncredential = \"header\"",
            "line 5: unknown variant `header`, expected one of `basic`, `query`, `bearer`, `path`",
        ),
        (
            "path = \"/a\"\ncredential = [\n\"basic\",\n\"header\"]",
            "unknown variant `header`, expected one of `basic`",
        ),
        (
            "path = \"/a\"\ncredential = 1",
            "line 5: invalid type: integer `1`, expected \"basic\", \"query\", \"bearer\", \"path\" or a list of them",
        ),
        (
            "path = \"/a\"\ncredential = []",
            "line 5: invalid length 0, expected \"basic\"",
        ),
        (
            "path = \"/a\"\nomitted = \"drop\"",
            "line 5: unknown variant `drop`, expected `keep` or `remove`",
        ),
        (
            "path = \"/a\"\nanswer = \"xml\"",
            "line 5: unknown variant `xml`, expected one of `words`, `json`, `ok-ko`",
        ),
        (
            "path = \"/a\"\nparams = { username = [] }",
            "line 5: unknown key `username`, expected one of `hostname`, `ipv4`, `ipv6`, `password`",
        ),
        (
            "path = \"/a\"\nparams = { ipv4 = \"myip\" }",
            "line 5: invalid type: string \"myip\", expected a list in [ ]",
        ),
        (
            "path = \"/a\"\nparams = { ipv4 = [\"\"] }",
            "line 3: endpoint \"/a\": a parameter's name is empty",
        ),
        (
            "path = \"a\"",
            "line 3: path \"a\" cannot be: a path begins with a slash",
        ),
        (
            "path = \"/\"",
            "cannot be: it begins with a word of 1 to 15",
        ),
        (
            "path = \"/<token>\"",
            "cannot be: it begins with a word of 1 to 15",
        ),
        (
            "path = \"/abcdefghijklmnop\"",
            "cannot be: it begins with a word of 1 to 15",
        ),
        (
            "path = \"/ip\"",
            "cannot be: /ip, /healthz, /health, /register, /client.sh and /.well-known",
        ),
        (
            "path = \"/a/<user>\"",
            "cannot be: between slashes stand words",
        ),
        ("path = \"/a//b\"", "cannot be: between slashes stand words"),
        ("path = \"/a b\"", "cannot be: it begins with a word"),
        (
            "path = \"/a/%20\"",
            "cannot be: between slashes stand words",
        ),
        ("path = \"/a/<name>/<name>\"", "may stand there once each"),
        (
            "path = \"/a/<token>\"\ncredential = \"basic\"",
            "line 3: path \"/a/<token>\" has a <token>, so credential must be \"path\"",
        ),
        (
            "path = \"/a\"\ncredential = [\"basic\", \"path\"]",
            "credential \"path\" needs <token> in the path, and \"/a\" has none",
        ),
        (
            "path = \"/a\"\ncredential = \"query\"\nparams = { password = [] }",
            "credential is \"query\" alone, and params.password is empty",
        ),
        (
            "path = \"/a/<name>\"\n[[endpoint]]\npath = \"/a/<address>/\"",
            "endpoint \"/a/<address>/\" stands there twice",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(
            error.starts_with("/etc/bowline/bowline.toml, line "),
            "{error}"
        );
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}
