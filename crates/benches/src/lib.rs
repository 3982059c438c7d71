//! Micro-benchmarks: `cargo bench -p bnbpip-benches`. They tell whether a change made one step
//! faster; whole commands are timed beside uv and pip by `benches/compare`.

use bnbpip_packaging::{MarkerEnvironment, MarkerEnvironmentBuilder};

/// What markers say of CPython 3.11 on Linux; `None` if that isn't understood.
pub fn linux() -> Option<MarkerEnvironment> {
    let builder = MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.4",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: "3.11.4",
        python_version: "3.11",
        sys_platform: "linux",
    };
    MarkerEnvironment::try_from(builder).ok()
}
