//! Where packages go: Python interpreters, the environments around them, and facts about the
//! machine, put together into one plain [`Target`].
//!
//! An interpreter is asked once, by running a short script in it ([`Prober`]); the answer is kept
//! on disk and used again for as long as nothing that shaped it has changed. [`find_environment`]
//! decides which environment a command works on, [`create_venv`] makes a new one, and [`Target`]
//! says what a resolution is for: this interpreter, or another platform that was asked for.
//!
//! This crate never touches the network or the solver, and reads no environment variables: what
//! it needs from them is handed in.

mod accelerator;
mod discovery;
mod interpreter;
mod layout;
mod machine;
mod registry;
mod request;
mod runtime;
mod scheme;
mod target;
mod venv;

pub use accelerator::{
    AcceleratorInputs, AcceleratorMachine, Accelerators, Attempt, ComputeCapability, DriverVersion,
    Gpu, NvidiaFacts, ParseFactError, ToldDriver, ToldNvidia, Vendor, capabilities_of_cards,
};
pub use discovery::{
    DiscoveryError, DiscoveryInputs, Environment, Origin, find_environment, find_interpreter,
    open_environment,
};
pub use interpreter::{ExternallyManaged, Interpreter, Libc, PROBE_VARIABLES, ProbeError, Prober};
pub use layout::{LayoutOs, environment_python_candidates, is_virtual_environment};
pub use machine::{free_bytes, is_effective_root, umask};
pub use registry::{Registry, RegistryRoot, ThisRegistry, registered_pythons};
pub use request::{PythonRequest, PythonRequestError, VersionRequest};
pub use runtime::{
    EmbeddedLayout, FileVersion, MachineFiles, RuntimeFile, ThisMachine, embedded_layout,
    file_version, is_wsl, vc_runtime, windows_name,
};
pub use scheme::{Placement, Scheme, SchemeError, SchemeSet, SchemeTemplate};
pub use target::{
    OperatingSystem, PipPlatform, PythonPlatform, Target, TargetError, TargetPython, TargetRequest,
};
pub use venv::{ExistingDirectory, VenvError, VenvOptions, create_venv};
