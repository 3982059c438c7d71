//! `--uploaded-prior-to`: a day, a time, a number of days; and files of which nobody knows when
//! they came.

use bnbpip_testing::{HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::support::{environment, last_line};

fn server() -> IndexServer {
    let of = |version: &str, time: &str| {
        HostedFile::from(WheelBuilder::new("aged", version).build()).uploaded(time)
    };
    IndexServer::with([
        of("1.0", "2020-06-01T12:00:00Z"),
        of("2.0", "2021-06-01T12:00:00Z"),
    ])
}

fn ask(environment: &TestEnvironment, limit: &str) -> Run {
    let option = format!("--uploaded-prior-to={limit}");
    environment.run(["install", "--dry-run", "aged", &option])
}

#[test]
fn what_is_newer_is_not_there() {
    let server = server();
    let environment = environment(&server);
    for (limit, version) in [
        ("2021-06-01", "1.0"),
        ("2021-06-02", "2.0"),
        ("2021-06-01T12:00:00Z", "1.0"),
        ("2021-06-01T12:00:01Z", "2.0"),
        ("2021-06-01T13:30:00+02:00", "1.0"),
        ("2021-06-01T14:30:00+02:00", "2.0"),
        ("P7D", "2.0"),
    ] {
        let run = ask(&environment, limit).success();
        let said = format!("Would install aged-{version}");
        assert_eq!(last_line(&run.stdout), said, "{limit}");
    }
    let run = ask(&environment, "P20000D").failure();
    let said = "Could not find a version that satisfies the requirement aged (from versions: none)";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(run.stderr.contains("2020-06-01"), "{}", run.stderr);
}

#[test]
fn an_index_without_times_cannot_be_asked_so() {
    let server = IndexServer::with([WheelBuilder::new("aged", "1.0").build()]);
    let environment = environment(&server);
    let run = ask(&environment, "2030-01-01").failure();
    for said in [
        "aged 1.0 is of an index that does not provide upload-time metadata",
        "hint: without upload times nothing is known to be before `--uploaded-prior-to`",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}
