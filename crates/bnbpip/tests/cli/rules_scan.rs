//! `rules scan`, on wheels that break each other.

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

/// A package whose middle releases import what another lost in 2.0, and which has a release
/// without a wheel.
fn index() -> IndexServer {
    let server = IndexServer::with([] as [bnbpip_testing::BuiltWheel; 0]);
    let quant = |version: &str, content: &str| {
        let init = "from . import kernels\n";
        let utils = "import importlib.util\ndef has_engine():\n    return importlib.util.find_spec('engine') is not None\n";
        WheelBuilder::new("quant", version)
            .file("quant/__init__.py", init)
            .file("quant/kernels.py", content)
            .file("quant/utils.py", utils)
            .file("quant/extra.py", "from engine import gone\n")
    };
    let guarded =
        "from .utils import has_engine\nif has_engine():\n    from engine.ops import matmul\n";
    let undecided = "import os\nif os.environ.get('X'):\n    from engine import lost\n";
    for wheel in [
        quant("1.0", "import engine\n"),
        quant("1.1", guarded),
        quant("1.2", guarded),
        quant("1.3", undecided),
    ] {
        server.add(wheel.build());
    }
    server.add(bnbpip_testing::HostedFile::other(
        "quant",
        "quant-0.9.tar.gz",
        "x",
    ));
    let engine =
        |version: &str| WheelBuilder::new("engine", version).file("engine/__init__.py", "x = 1\n");
    server.add(
        engine("1.0")
            .file("engine/ops.py", "def matmul(): pass\n")
            .build(),
    );
    server.add(
        engine("1.5")
            .file("engine/ops.py", "def other(): pass\n")
            .build(),
    );
    server.add(engine("2.0").build());
    server.add(engine("2.1").build());
    server
}

fn run(arguments: &[&str]) -> String {
    let server = index();
    let environment = TestEnvironment::bare(env!("CARGO_BIN_EXE_bnbpip")).with_index(&server);
    let words = ["rules", "scan"].iter().chain(arguments);
    let run = environment.run(words);
    run.snapshot(&environment.filters())
}

#[test]
fn one_pair() {
    assert_snapshot!(run(&["quant==1.1", "--against", "engine==2.0"]));
}

#[test]
fn nothing_missing() {
    assert_snapshot!(run(&["quant==1.1", "--against", "engine==1.0"]));
}

#[test]
fn all_releases() {
    assert_snapshot!(run(&["quant", "--against", "engine", "quant==1.0"]));
}

#[test]
fn conditional_ones_on_request() {
    assert_snapshot!(run(&[
        "quant==1.3",
        "--against",
        "engine==2.1",
        "--conditional"
    ]));
}

#[test]
fn as_json() {
    assert_snapshot!(run(&["quant>=1.1", "--against", "engine>=2", "--json"]));
}

#[test]
fn one_module() {
    let arguments = [
        "quant==1.0",
        "--against",
        "engine==2.0",
        "--module",
        "quant.extra",
    ];
    assert_snapshot!(run(&arguments));
}

#[test]
fn what_cannot_be_scanned() {
    let runs = [
        run(&["quant==0.9", "--against", "engine"]),
        run(&["nowhere", "--against", "engine"]),
        run(&["quant", "--against", "engine=2"]),
        run(&["quant", "--against", "engine", "--python-platform", "amiga"]),
        run(&["quant", "--against", "engine", "--python-version", "three"]),
        run(&["quant"]),
        run(&["--against", "engine"]),
    ];
    assert_snapshot!(runs.join("\n\n"));
}
