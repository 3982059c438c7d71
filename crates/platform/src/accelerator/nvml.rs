//! NVIDIA's management library (NVML), loaded by hand: it comes with the driver, or isn't there.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::path::{Path, PathBuf};

use libloading::Library;

use super::value::{ComputeCapability, DriverVersion, Gpu, Vendor};

/// What NVIDIA's driver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NvidiaFacts {
    /// Its version.
    pub driver: DriverVersion,
    /// The cards that it drives.
    pub gpus: Vec<Gpu>,
}

impl fmt::Display for NvidiaFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "driver {}", self.driver)?;
        self.gpus.iter().try_for_each(|gpu| write!(f, ", {gpu}"))
    }
}

/// Where the library may lie. On Windows only full paths: a name would be looked for in the
/// current folder, too.
pub(super) fn places(system: Option<&Path>) -> Vec<PathBuf> {
    if let Some(system) = system {
        return vec![system.join("nvml.dll")];
    }
    if cfg!(target_os = "linux") {
        let names = ["libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"];
        return names.into_iter().map(PathBuf::from).collect();
    }
    Vec::new()
}

type Status = c_int;
type Device = *mut c_void;
type TextOf = unsafe extern "C" fn(*mut c_char, c_uint) -> Status;

/// Every text of NVML's that is asked here fits.
const TEXT_LENGTH: c_uint = 96;

/// Loads the library and asks it.
#[expect(
    unsafe_code,
    reason = "the driver's library is the one place that knows the capabilities"
)]
pub(super) fn ask(library: &Path) -> Result<NvidiaFacts, String> {
    // SAFETY: loading runs the initialisers of the driver's own library, taken from the system's
    // folders, which every CUDA program loads as well.
    let library = unsafe { Library::new(library) }.map_err(|_| "not there".to_owned())?;
    let session = Session::open(&library)?;
    let facts = session.facts();
    // SAFETY: `nvmlShutdown` takes nothing and pairs with the initialisation in `open`.
    if let Ok(shutdown) =
        unsafe { library.get::<unsafe extern "C" fn() -> Status>(b"nvmlShutdown\0") }
    {
        // SAFETY: as above; its status changes nothing for us.
        unsafe { shutdown() };
    }
    facts
}

/// An initialised library.
struct Session<'library> {
    library: &'library Library,
}

#[expect(
    unsafe_code,
    reason = "calls of C functions, each with the types of nvml.h"
)]
impl<'library> Session<'library> {
    fn open(library: &'library Library) -> Result<Self, String> {
        let session = Self { library };
        let name = "nvmlInit_v2";
        let init = session.function::<unsafe extern "C" fn() -> Status>(name)?;
        // SAFETY: `nvmlReturn_t nvmlInit_v2(void)`.
        check(name, unsafe { init() })?;
        Ok(session)
    }

    fn function<T>(&self, name: &str) -> Result<libloading::Symbol<'library, T>, String> {
        // SAFETY: every caller names the type that nvml.h gives the function.
        unsafe { self.library.get(name.as_bytes()) }.map_err(|_| format!("it has no `{name}`"))
    }

    fn facts(&self) -> Result<NvidiaFacts, String> {
        let name = "nvmlSystemGetDriverVersion";
        let driver = self.function::<TextOf>(name)?;
        // SAFETY: `nvmlReturn_t (char *version, unsigned int length)`, with that length.
        let driver = text(name, |buffer| unsafe { driver(buffer, TEXT_LENGTH) })?;
        let driver = driver
            .parse()
            .map_err(|_| format!("`{driver}` is no driver version"))?;

        let name = "nvmlDeviceGetCount_v2";
        let count_of = self.function::<unsafe extern "C" fn(*mut c_uint) -> Status>(name)?;
        let mut count = 0;
        // SAFETY: `nvmlReturn_t (unsigned int *deviceCount)`.
        check(name, unsafe { count_of(&raw mut count) })?;
        // A card that fell off its bus must not hide the others.
        let gpus = (0..count).map(|index| self.gpu(index).unwrap_or_else(|_| Gpu::unknown()));
        Ok(NvidiaFacts {
            driver,
            gpus: gpus.collect(),
        })
    }

    fn gpu(&self, index: c_uint) -> Result<Gpu, String> {
        let name = "nvmlDeviceGetHandleByIndex_v2";
        let handle = self.function::<unsafe extern "C" fn(c_uint, *mut Device) -> Status>(name)?;
        let mut device: Device = std::ptr::null_mut();
        // SAFETY: `nvmlReturn_t (unsigned int index, nvmlDevice_t *device)`.
        check(name, unsafe { handle(index, &raw mut device) })?;

        let name = "nvmlDeviceGetName";
        let named =
            self.function::<unsafe extern "C" fn(Device, *mut c_char, c_uint) -> Status>(name)?;
        // SAFETY: `nvmlReturn_t (nvmlDevice_t device, char *name, unsigned int length)`, with
        // the handle from above.
        let card = text(name, |buffer| unsafe { named(device, buffer, TEXT_LENGTH) });

        let name = "nvmlDeviceGetCudaComputeCapability";
        let capability =
            self.function::<unsafe extern "C" fn(Device, *mut c_int, *mut c_int) -> Status>(name)?;
        let (mut major, mut minor) = (0, 0);
        // SAFETY: `nvmlReturn_t (nvmlDevice_t device, int *major, int *minor)`.
        let status = unsafe { capability(device, &raw mut major, &raw mut minor) };
        let capability = check(name, status).ok().and_then(|()| {
            Some(ComputeCapability {
                major: u32::try_from(major).ok()?,
                minor: u32::try_from(minor).ok()?,
            })
        });
        Ok(Gpu {
            vendor: Vendor::Nvidia,
            name: card.ok(),
            capability,
        })
    }
}

/// The text that a function writes into a buffer of [`TEXT_LENGTH`] bytes.
fn text(name: &str, ask: impl FnOnce(*mut c_char) -> Status) -> Result<String, String> {
    let mut buffer = [0_u8; TEXT_LENGTH as usize];
    check(name, ask(buffer.as_mut_ptr().cast()))?;
    let text = CStr::from_bytes_until_nul(&buffer).map_err(|_| format!("`{name}` said no text"))?;
    Ok(text.to_string_lossy().into_owned())
}

fn check(name: &str, status: Status) -> Result<(), String> {
    if status == 0 {
        Ok(())
    } else {
        Err(format!("`{name}` failed with status {status}"))
    }
}
