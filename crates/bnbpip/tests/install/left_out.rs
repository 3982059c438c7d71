//! What is told of versions that don't count: pip's list of versions leaves them out.

use bnbpip_testing::{HostedFile, IndexServer, WheelBuilder};

use crate::support::environment;

#[test]
fn yanked_versions_and_those_for_other_pythons_and_systems_are_told_apart() {
    let server = IndexServer::start();
    for version in ["1.0", "2.0"] {
        server.add(WheelBuilder::new("aged", version).build());
    }
    let yanked = HostedFile::from(WheelBuilder::new("aged", "3.0").build()).yanked("broken");
    server.add(yanked);
    for (version, python) in [("4.0", "<3"), ("5.0", ">=4")] {
        let wheel = WheelBuilder::new("aged", version).requires_python(python);
        server.add(wheel.build());
    }
    server.add(
        WheelBuilder::new("aged", "6.0")
            .tag("cp27-cp27m-win32")
            .build(),
    );
    let gone = HostedFile::from(WheelBuilder::new("gone", "1.0").build()).yanked("broken");
    server.add(gone);
    let environment = environment(&server);
    let aged = "ERROR: Ignored the following yanked versions: 3.0\n\
                ERROR: Ignored the following versions that require a different python version: \
                4.0 Requires-Python <3; 5.0 Requires-Python >=4\n\
                ERROR: Could not find a version that satisfies the requirement aged==0.1 (from \
                versions: 1.0, 2.0)\n\
                ERROR: No matching distribution found for aged==0.1\n";
    let gone = "ERROR: Ignored the following yanked versions: 1.0\n\
                ERROR: Could not find a version that satisfies the requirement gone (from \
                versions: none)\n";
    for (requirement, said) in [
        ("aged==0.1", aged.to_owned()),
        ("aged>2.5", aged.replace("aged==0.1", "aged>2.5")),
        ("aged==4.0", aged.replace("aged==0.1", "aged==4.0")),
        ("gone", gone.to_owned()),
    ] {
        let stderr = environment.run(["install", requirement]).failure().stderr;
        assert!(stderr.contains(&said), "{stderr}");
    }
}
