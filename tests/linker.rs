//! The linker that the static executable is made with: what it is told stands together, and
//! without Rust's own linker it links all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Functions in the order in which they are written.
const SOURCE: &str = "
    int first(void) { return 1; }
    int second(void) { return 2; }
    int third(void) { return 3; }
    int main(void) { return first() + second() + third() - 6; }
";

/// A place with our linker, a list of its own, and an object file to link.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(hot: &str) -> Self {
        let bench = Bench(tempfile::tempdir().unwrap());
        let linker = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/linker");
        fs::copy(linker, bench.path("linker")).unwrap();
        fs::write(bench.path("hot.txt"), hot).unwrap();
        bench.compile(SOURCE, "main.o");
        // Among Rust's libraries, as rustc passes it on.
        fs::create_dir_all(bench.path("rustlib/x/lib/self-contained")).unwrap();
        bench.compile("", "rustlib/x/lib/self-contained/crt1.o");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn compile(&self, source: &str, object: &str) {
        fs::write(self.path("source.c"), source).unwrap();
        run(Command::new("gcc")
            .args(["-ffunction-sections", "-c", "-o"])
            .args([self.path(object), self.path("source.c")]));
    }

    /// The functions of the executable that it links, in their order there.
    fn linked(&self) -> Vec<String> {
        let executable = self.path("executable");
        run(Command::new(self.path("linker"))
            .arg("-o")
            .arg(&executable)
            .args([
                self.path("main.o"),
                self.path("rustlib/x/lib/self-contained/crt1.o"),
            ]));
        run(&mut Command::new(&executable));
        let names = run(Command::new("nm").arg("-n").arg(&executable));
        (names.split_whitespace())
            .filter(|word| ["first", "second", "third", "main"].contains(word))
            .map(ToOwned::to_owned)
            .collect()
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_listed_stands_together_in_front() {
    let bench = Bench::new("third\nnobody's\nmain\n");
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]));
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
    let mut targets = fs::read_dir(rustlib).unwrap();
    let lld = targets.find_map(|target| {
        let found = target.unwrap().path().join("bin/gcc-ld");
        found.join("ld.lld").exists().then_some(found)
    });
    let lld = lld.expect("rustup's Rust has its own linker");
    fs::create_dir_all(bench.path("rustlib/host/bin")).unwrap();
    symlink(lld, bench.path("rustlib/host/bin/gcc-ld")).unwrap();
    assert_eq!(bench.linked(), ["third", "main", "first", "second"]);
}

#[test]
fn without_rusts_linker_cc_links() {
    let bench = Bench::new("third\n");
    assert_eq!(bench.linked(), ["first", "second", "third", "main"]);
}
