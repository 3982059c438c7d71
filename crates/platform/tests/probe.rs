//! Probing real interpreters, and the cache of what they say.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
#[cfg(unix)]
use std::time::{Duration, Instant};

use bnbpip_packaging::Version;
#[cfg(unix)]
use bnbpip_platform::ProbeError;
use bnbpip_platform::{Placement, Prober, Target, TargetRequest, VenvOptions, create_venv};
use common::{interpreter, python};

/// `sysconfig`, `sys` and `platform` must agree with what was probed.
#[test]
fn facts_are_those_of_the_interpreter() {
    let executable = interpreter();
    let probed = Prober::new().interpreter(&executable).unwrap();
    let said = python(
        executable.to_str().unwrap(),
        "import sys, sysconfig, platform, json; p = sysconfig.get_paths(); print(json.dumps([\
         sys.executable, sys.prefix, platform.python_version(), p['stdlib'], \
         sys.implementation.cache_tag, sysconfig.get_config_var('EXT_SUFFIX'), platform.machine()]))",
    );
    let said: Vec<String> = serde_json::from_str(&said).unwrap();
    let probed = [
        probed.sys_executable.to_str().unwrap().to_string(),
        probed.prefix.to_str().unwrap().to_string(),
        probed.version().to_string(),
        probed.stdlib.to_str().unwrap().to_string(),
        probed.cache_tag.clone().unwrap(),
        probed.ext_suffix.clone().unwrap(),
        probed.markers.platform_machine().to_string(),
    ];
    assert_eq!(said, probed);
}

/// The tags must be those of `packaging`, in its order; pip carries a copy of it.
#[test]
fn tags_are_those_of_packaging() {
    let executable = interpreter();
    let said = python(
        executable.to_str().unwrap(),
        "
try:
    import packaging
    from packaging import tags
except ImportError:
    try:
        from pip._vendor import packaging
        from pip._vendor.packaging import tags
    except ImportError:
        tags = None
if tags: print(packaging.__version__, *tags.sys_tags())",
    );
    if said.is_empty() {
        return; // neither packaging nor pip is installed here
    }
    let target = Target::from_interpreter(&Prober::new().interpreter(&executable).unwrap());
    let mut ours: Vec<String> = (target.tags.iter())
        .map(|(python, abi, platform)| format!("{python}-{abi}-{platform}"))
        .collect();
    let (version, theirs) = said.split_once(' ').unwrap();
    let mut theirs: Vec<&str> = theirs.split(' ').collect();
    if version.parse::<Version>().unwrap() < "26".parse().unwrap() {
        // Until then a machine's own tag came last, not first, and long ago `cpXY-none-any` was
        // not there.
        let is_settled = |tag: &str| !tag.contains("-linux_") && !tag.ends_with("-none-any");
        ours.retain(|tag| is_settled(tag));
        theirs.retain(|tag| is_settled(tag));
    }
    let difference = ours
        .iter()
        .zip(&theirs)
        .position(|(ours, theirs)| ours != theirs);
    assert_eq!(
        difference.map(|at| (&ours[at], theirs[at])),
        None,
        "at {difference:?} of {} and {}",
        ours.len(),
        theirs.len()
    );
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn an_answer_is_kept_until_a_start_up_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let base = Prober::new().interpreter(&interpreter()).unwrap();
    let root = folder.path().join("venv");
    let executable = create_venv(&base, &root, &VenvOptions::default()).unwrap();
    let prober = Prober::new().with_cache(&folder.path().join("cache"));
    let first = prober.interpreter(&executable).unwrap();
    assert!(first.is_venv);

    // A record that is used again isn't written again.
    let record = single_record(folder.path());
    let written = fs_err::metadata(&record).unwrap().modified().unwrap();
    assert_eq!(prober.interpreter(&executable).unwrap(), first);
    assert_eq!(
        fs_err::metadata(&record).unwrap().modified().unwrap(),
        written
    );

    // An ordinary module makes the folder newer, which is only noted.
    let site_packages = &first.schemes.prefix.purelib;
    fs_err::write(site_packages.join("module.py"), "").unwrap();
    let renewed = prober.interpreter(&executable).unwrap();
    assert_eq!(renewed, first);

    // A path file counts.
    let extra = folder.path().join("extra");
    fs_err::create_dir(&extra).unwrap();
    fs_err::write(site_packages.join("extra.pth"), extra.to_str().unwrap()).unwrap();
    let changed = prober.interpreter(&executable).unwrap();
    assert!(changed.sys_path.contains(&extra), "{:?}", changed.sys_path);

    // So does a damaged record: it is only a convenience.
    fs_err::write(&record, "{").unwrap();
    assert_eq!(prober.interpreter(&executable).unwrap(), changed);
}

fn single_record(folder: &Path) -> std::path::PathBuf {
    let mut entries = fs_err::read_dir(folder.join("cache/interpreter-v1")).unwrap();
    let record = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    record
}

#[test]
fn start_up_output_does_not_disturb_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let base = Prober::new().interpreter(&interpreter()).unwrap();
    let executable =
        create_venv(&base, &folder.path().join("venv"), &VenvOptions::default()).unwrap();
    let prober = Prober::new();
    let site_packages = prober
        .interpreter(&executable)
        .unwrap()
        .schemes
        .prefix
        .purelib;
    fs_err::write(
        site_packages.join("noise.pth"),
        "import sys; sys.stdout.write('hello <<bnbpip-facts>> {'); sys.stderr.write('noise')",
    )
    .unwrap();
    assert!(prober.interpreter(&executable).unwrap().is_venv);
}

#[cfg(unix)]
#[test]
fn what_is_not_python_is_told_apart() {
    let prober = Prober::new().with_timeout(Duration::from_millis(700));
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let ask = |path: &Path| prober.interpreter(path).unwrap_err();

    let missing = folder.path().join("missing");
    assert!(matches!(ask(&missing), ProbeError::NotFound { .. }));
    let text = folder.path().join("text");
    fs_err::write(&text, "not a program").unwrap();
    assert!(matches!(ask(&text), ProbeError::NotExecutable { .. }));
    let echo = program("echo", "#!/bin/sh\necho hello\n");
    assert!(matches!(ask(&echo), ProbeError::NotPython { .. }));
    let failing = program(
        "failing",
        "#!/bin/sh\necho 'no such version' >&2\nexit 127\n",
    );
    assert_eq!(
        ask(&failing).to_string(),
        format!(
            "Failed to query `{}`: it exited with status 127:\nno such version",
            failing.display()
        )
    );
    let old = program(
        "old",
        "#!/bin/sh\necho '<<bnbpip-facts>>{\"unsupported\": \"2.7.18\"}<</bnbpip-facts>>'\n",
    );
    assert_eq!(
        ask(&old).to_string(),
        format!(
            "Failed to use `{}`: it is Python 2.7.18, and 3.7 is the oldest that is supported",
            old.display()
        )
    );
    let started = Instant::now();
    let silent = program("silent", "#!/bin/sh\nexec sleep 60\n");
    assert!(matches!(ask(&silent), ProbeError::TimedOut { .. }));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn targets_for_other_pythons_are_completed_from_the_interpreter() {
    let interpreter = Prober::new().interpreter(&interpreter()).unwrap();
    let request = TargetRequest {
        python_version: Some("3.99".parse().unwrap()),
        ..TargetRequest::default()
    };
    let target = request.target(Some(&interpreter)).unwrap();
    assert_eq!(target.python_version, (3, 99));
    assert_eq!(target.platform_tags, interpreter.platform_tags());
    assert_eq!(
        target.markers.sys_platform(),
        interpreter.markers.sys_platform()
    );
    let wheel = format!("a-1-cp399-cp399-{}.whl", target.platform_tags[0]);
    assert!(target.tags.priority(&wheel.parse().unwrap()).is_some());

    let request = TargetRequest {
        python_platform: Some("windows".parse().unwrap()),
        ..TargetRequest::default()
    };
    let target = request.target(Some(&interpreter)).unwrap();
    assert_eq!(&target.python_full_version, interpreter.version());
    assert_eq!(target.markers.os_name(), "nt");
}

#[test]
fn schemes_follow_the_placement() {
    let interpreter = Prober::new().interpreter(&interpreter()).unwrap();
    let base = std::path::absolute("/opt/app").unwrap();
    let target = interpreter.scheme(Placement::Target(&base)).unwrap();
    assert_eq!(target.purelib, base);
    assert_eq!(target.platlib, base);
    assert_eq!(target.data, base);
    assert_eq!(target.scripts.parent(), Some(&*base));
    let prefix = interpreter.scheme(Placement::Prefix(&base)).unwrap();
    assert!(prefix.purelib.starts_with(&base));
    assert!(prefix.purelib.ends_with("site-packages"));
}
