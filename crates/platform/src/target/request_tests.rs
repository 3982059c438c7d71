//! Targets from options alone, without an interpreter.

use bnbpip_packaging::WheelFilename;

use super::*;

fn request(python_platform: &str, python_version: &str) -> TargetRequest {
    TargetRequest {
        python_platform: Some(python_platform.parse().unwrap()),
        python_version: Some(python_version.parse().unwrap()),
        ..TargetRequest::default()
    }
}

fn accepts(target: &Target, filename: &str) -> bool {
    let wheel: WheelFilename = filename.parse().unwrap();
    target.tags.priority(&wheel).is_some()
}

#[test]
fn windows_needs_no_interpreter() {
    let request = request("windows", "3.11");
    assert!(request.is_complete());
    let target = request.target(None).unwrap();
    assert_eq!(target.description, "CPython 3.11.0 on Windows x86_64");
    assert_eq!(target.operating_system, OperatingSystem::Windows);
    assert_eq!(target.markers.os_name(), "nt");
    assert_eq!(target.markers.sys_platform(), "win32");
    assert_eq!(target.markers.platform_system(), "Windows");
    assert_eq!(target.markers.platform_machine(), "AMD64");
    assert_eq!(target.markers.python_version().to_string(), "3.11");
    assert_eq!(target.markers.python_full_version().to_string(), "3.11.0");
    assert_eq!(target.markers.implementation_name(), "cpython");
    assert!(accepts(&target, "torch-2.4.1-cp311-cp311-win_amd64.whl"));
    assert!(accepts(
        &target,
        "bitsandbytes-0.43.0-py3-none-win_amd64.whl"
    ));
    assert!(!accepts(&target, "torch-2.4.1-cp312-cp312-win_amd64.whl"));
    assert!(!accepts(&target, "a-1-py3-none-manylinux_2_17_x86_64.whl"));
}

#[test]
fn versions_are_read_as_pip_and_people_write_them() {
    for (text, full_version, version) in [
        ("3.11", "3.11.0", (3, 11)),
        ("311", "3.11.0", (3, 11)),
        ("3.11.4", "3.11.4", (3, 11)),
        ("39", "3.9.0", (3, 9)),
        ("3.15.0b1", "3.15.0b1", (3, 15)),
    ] {
        let target = request("linux", text).target(None).unwrap();
        assert_eq!(
            target.python_full_version.to_string(),
            full_version,
            "{text}"
        );
        assert_eq!(target.python_version, version, "{text}");
    }
    for text in ["", "three", "3.11.4.1", "1!3.11", "3.999", "3.11+local"] {
        assert_eq!(
            TargetPython::from_str(text),
            Err(TargetError::InvalidPythonVersion {
                text: text.to_string()
            })
        );
    }
}

#[test]
fn free_threaded_targets_take_only_their_own_abi() {
    let target = request("linux", "3.13t").target(None).unwrap();
    assert!(target.free_threaded);
    assert!(accepts(
        &target,
        "a-1-cp313-cp313t-manylinux_2_28_x86_64.whl"
    ));
    assert!(!accepts(
        &target,
        "a-1-cp313-cp313-manylinux_2_28_x86_64.whl"
    ));
    assert!(!accepts(&target, "a-1-cp39-abi3-manylinux_2_28_x86_64.whl"));
}

#[test]
fn what_is_missing_is_named() {
    let only_version = TargetRequest {
        python_version: Some("3.11".parse().unwrap()),
        ..TargetRequest::default()
    };
    assert!(!only_version.is_complete());
    assert_eq!(
        only_version.target(None).unwrap_err().to_string(),
        "Failed to describe the target: without an interpreter, `--python-platform` is needed"
    );
    let only_major = request("linux", "3");
    assert!(!only_major.is_complete());
    assert_eq!(only_major.target(None).unwrap().python_version, (3, 0));
    let mut both = request("linux", "3.11");
    both.platforms.push("win_amd64".parse().unwrap());
    assert_eq!(both.target(None).unwrap_err(), TargetError::TwoPlatforms);
}

fn pip_request(platforms: &[&str], implementation: Option<&str>, abis: &[&str]) -> Target {
    TargetRequest {
        python_version: Some("3.11".parse().unwrap()),
        platforms: platforms.iter().map(|text| text.parse().unwrap()).collect(),
        implementation: implementation.map(str::to_string),
        abis: abis.iter().map(ToString::to_string).collect(),
        ..TargetRequest::default()
    }
    .target(None)
    .unwrap()
}

#[test]
fn pips_platforms_take_exactly_what_they_name() {
    let target = pip_request(
        &["manylinux_2_28_x86_64", "manylinux2014_x86_64"],
        None,
        &[],
    );
    assert_eq!(target.markers.platform_machine(), "x86_64");
    assert!(accepts(
        &target,
        "a-1-cp311-cp311-manylinux_2_28_x86_64.whl"
    ));
    assert!(accepts(&target, "a-1-cp311-cp311-manylinux1_x86_64.whl"));
    assert!(!accepts(
        &target,
        "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"
    ));
    assert!(accepts(&target, "a-1-py3-none-any.whl"));
}

#[test]
fn pips_abis_replace_the_derived_one() {
    let target = pip_request(&["win_amd64"], Some("cp"), &["abi3"]);
    assert!(accepts(&target, "a-1-cp39-abi3-win_amd64.whl"));
    assert!(!accepts(&target, "a-1-cp311-cp311-win_amd64.whl"));
    assert!(accepts(&target, "a-1-py3-none-win_amd64.whl"));
    let target = pip_request(&["win_amd64"], Some("cp"), &["cp311", "abi3"]);
    assert!(accepts(&target, "a-1-cp311-cp311-win_amd64.whl"));
}

#[test]
fn pips_generic_implementation_takes_pure_wheels_only() {
    let target = pip_request(&["win_amd64"], Some("py"), &[]);
    assert!(accepts(&target, "a-1-py3-none-any.whl"));
    assert!(accepts(&target, "a-1-py311-none-win_amd64.whl"));
    assert!(!accepts(&target, "a-1-cp311-cp311-win_amd64.whl"));
    assert!(!accepts(&target, "a-1-cp39-abi3-win_amd64.whl"));
}

#[test]
fn wheels_for_one_implementation_on_any_platform_fit_it() {
    let target = pip_request(&["linux_x86_64"], Some("fk"), &[]);
    assert!(accepts(&target, "a-1-fk311-none-any.whl"));
    assert!(accepts(&target, "a-1-fk311-none-linux_x86_64.whl"));
    assert!(!accepts(&target, "a-1-fk310-none-any.whl"));
}
