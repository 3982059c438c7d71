//! The run: find the script behind the executable, start its interpreter, wait for it.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::zeroed;
use core::ptr::{null, null_mut};

use crate::command_line;
use crate::script;
use crate::system::{
    AssignProcessToJobObject, CODE_PAGE_UTF8, CREATE_SUSPENDED, CloseHandle, CreateFileW,
    CreateJobObjectW, CreateProcessW, EXTENDED_LIMIT_INFORMATION, ExitProcess, ExtendedLimits,
    GENERIC_READ, GetCommandLineW, GetExitCodeProcess, GetFileSizeEx, GetLastError,
    GetModuleFileNameW, GetProcAddress, GetStartupInfoW, GetStdHandle, Handle, INFINITE,
    INVALID_HANDLE, KILL_ON_JOB_CLOSE, LoadLibraryExW, MultiByteToWideChar, OPEN_EXISTING,
    ProcessInformation, ReadFile, ResumeThread, SHARE_ALL, SILENT_BREAKAWAY_OK, STD_ERROR,
    SetConsoleCtrlHandler, SetFilePointerEx, SetInformationJobObject, StartupInfo,
    WaitForSingleObject, WriteConsoleW, WriteFile,
};

/// The launcher's own exit codes; all others are the script's.
pub mod exit_code {
    /// The interpreter could not be started: as a shell's "command not found".
    pub const NO_INTERPRETER: u32 = 127;
    /// The file is no script of an installer's.
    pub const NO_SCRIPT: u32 = 126;
    /// The launcher itself failed.
    pub const INTERNAL: u32 = 125;
}

const ERROR_FILE_NOT_FOUND: u32 = 2;
const ERROR_PATH_NOT_FOUND: u32 = 3;
/// The longest path that Windows has, in UTF-16 units.
const PATH_UNITS: usize = 32_768;
/// From this length on only paths with the `\\?\` prefix are taken by every Windows.
const LONG_PATH: usize = 248;

/// What went wrong, for the user.
struct Failure {
    message: String,
    code: u32,
}

/// Runs the script that this executable carries and ends the process.
pub fn run(is_gui: bool) -> ! {
    let code = start(is_gui).unwrap_or_else(|failure| {
        tell(&failure.message, is_gui);
        failure.code
    });
    unsafe { ExitProcess(code) }
}

fn start(is_gui: bool) -> Result<u32, Failure> {
    let launcher = own_path()?;
    let folder = launcher.iter().rposition(|unit| *unit == u16::from(b'\\'));
    let folder = &launcher[..folder.map_or(0, |at| at + 1)];
    let named = interpreter(&launcher)?;
    let path = script::resolve(&named, folder);
    let arguments = own_command_line();
    let arguments = command_line::arguments(arguments);
    let Some(line) = command_line::build(&path, plain(&launcher), arguments) else {
        return Err(Failure {
            message: String::from(
                "Failed to start the script: its command line is too long for Windows",
            ),
            code: exit_code::NO_INTERPRETER,
        });
    };
    execute(&path, line, is_gui)
}

/// This executable's path.
fn own_path() -> Result<Vec<u16>, Failure> {
    let mut path = Vec::with_capacity(PATH_UNITS);
    let units = unsafe { GetModuleFileNameW(null_mut(), path.as_mut_ptr(), 32_768) } as usize;
    if units == 0 || units >= PATH_UNITS {
        return Err(Failure {
            message: String::from("Failed to find the launcher's own path"),
            code: exit_code::INTERNAL,
        });
    }
    // SAFETY: Windows has written this many units.
    unsafe { path.set_len(units) };
    Ok(path)
}

fn own_command_line() -> &'static [u16] {
    // SAFETY: the process's command line lives as long as it, and is closed by a zero.
    unsafe {
        let text = GetCommandLineW();
        let mut units = 0;
        while *text.add(units) != 0 {
            units += 1;
        }
        core::slice::from_raw_parts(text, units)
    }
}

/// The interpreter that is named between the executable and the archive.
fn interpreter(launcher: &[u16]) -> Result<Vec<u16>, Failure> {
    let none = |what: &str| Failure {
        message: shown("Failed to run `", launcher, what),
        code: exit_code::NO_SCRIPT,
    };
    let file = File::open(&extended(launcher)).ok_or_else(|| none("`: it can't be read"))?;
    let file_bytes = file.len().ok_or_else(|| none("`: it can't be read"))?;
    let tail = file_bytes.saturating_sub(script::TAIL_BYTES);
    let tail = file
        .read(tail, file_bytes - tail)
        .ok_or_else(|| none("`: it can't be read"))?;
    let unusual = "`: it has no script; install its package again";
    let archive = script::archive_start(&tail, file_bytes).ok_or_else(|| none(unusual))?;
    let from = archive.saturating_sub(script::LINE_LIMIT);
    let before = file
        .read(from, archive - from)
        .ok_or_else(|| none("`: it can't be read"))?;
    let name = script::interpreter(&before).ok_or_else(|| none(unusual))?;
    Ok(from_utf8(name))
}

fn execute(path: &[u16], mut line: Vec<u16>, is_gui: bool) -> Result<u32, Failure> {
    let application = extended(path);
    // SAFETY: the structures are plain, and Windows fills them; `line` and `application` end in zero.
    unsafe {
        // Ctrl-C is the script's to answer; the launcher only waits for what it says.
        SetConsoleCtrlHandler(Some(ignore), 1);
        let job = job();
        let mut startup: StartupInfo = zeroed();
        GetStartupInfoW(&raw mut startup);
        let mut process: ProcessInformation = zeroed();
        let started = CreateProcessW(
            application.as_ptr(),
            line.as_mut_ptr(),
            null(),
            null(),
            1,
            CREATE_SUSPENDED,
            null(),
            null(),
            &raw const startup,
            &raw mut process,
        );
        if started == 0 {
            return Err(not_started(path, GetLastError()));
        }
        // Before its first instruction, so that nothing it starts escapes. It fails where an old
        // Windows has no nested jobs: then the script simply isn't ended with the launcher.
        AssignProcessToJobObject(job, process.process);
        ResumeThread(process.thread);
        CloseHandle(process.thread);
        if is_gui {
            end_waiting_cursor();
        }
        WaitForSingleObject(process.process, INFINITE);
        let mut code = exit_code::INTERNAL;
        GetExitCodeProcess(process.process, &raw mut code);
        Ok(code)
    }
}

/// A job that ends the script with the launcher, and lets go what the script sets free.
unsafe fn job() -> Handle {
    let limits = ExtendedLimits {
        limit_flags: KILL_ON_JOB_CLOSE | SILENT_BREAKAWAY_OK,
        ..ExtendedLimits::default()
    };
    let bytes = size_of::<ExtendedLimits>();
    unsafe {
        let job = CreateJobObjectW(null(), null());
        SetInformationJobObject(
            job,
            EXTENDED_LIMIT_INFORMATION,
            (&raw const limits).cast(),
            u32::try_from(bytes).unwrap_or(0),
        );
        job
    }
}

unsafe extern "system" fn ignore(_event: u32) -> i32 {
    1
}

fn not_started(path: &[u16], error: u32) -> Failure {
    let why = match error {
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => {
            "`: there is no such interpreter; if the environment was moved or its Python removed, make it \
             anew"
        }
        _ => "`: Windows can't run it",
    };
    Failure {
        message: shown("Failed to start `", path, why),
        code: exit_code::NO_INTERPRETER,
    }
}

fn shown(before: &str, path: &[u16], after: &str) -> String {
    let mut text = String::from(before);
    text.extend(char::decode_utf16(plain(path).iter().copied()).map(|unit| unit.unwrap_or('?')));
    text.push_str(after);
    text
}

/// A path without the `\\?\` prefix, which Python can't start from.
fn plain(path: &[u16]) -> &[u16] {
    let prefix = [b'\\', b'\\', b'?', b'\\'].map(u16::from);
    match path.strip_prefix(&prefix) {
        Some(rest) if rest.get(1) == Some(&u16::from(b':')) => rest,
        _ => path,
    }
}

/// A path closed by a zero, with the `\\?\` prefix where it is long and has a drive.
fn extended(path: &[u16]) -> Vec<u16> {
    let mut whole = Vec::with_capacity(path.len() + 5);
    if path.len() >= LONG_PATH && path.get(1) == Some(&u16::from(b':')) {
        whole.extend([b'\\', b'\\', b'?', b'\\'].map(u16::from));
        // The prefix turns the resolving of `..` off.
        for part in path.split(|unit| *unit == u16::from(b'\\')) {
            if part == [u16::from(b'.'), u16::from(b'.')] {
                let kept = whole[..whole.len() - 1]
                    .iter()
                    .rposition(|unit| *unit == u16::from(b'\\'));
                whole.truncate(kept.map_or(0, |at| at + 1));
            } else {
                whole.extend_from_slice(part);
                whole.push(u16::from(b'\\'));
            }
        }
        whole.pop();
    } else {
        whole.extend_from_slice(path);
    }
    whole.push(0);
    whole
}

fn from_utf8(text: &[u8]) -> Vec<u16> {
    let mut wide = Vec::with_capacity(text.len());
    let bytes = i32::try_from(text.len()).unwrap_or(0);
    // SAFETY: UTF-8 never takes more bytes than UTF-16 has units.
    unsafe {
        let units = MultiByteToWideChar(
            CODE_PAGE_UTF8,
            0,
            text.as_ptr(),
            bytes,
            wide.as_mut_ptr(),
            bytes,
        );
        wide.set_len(usize::try_from(units).unwrap_or(0));
    }
    wide
}

/// Windows shows the waiting cursor until a program asks for its messages.
unsafe fn end_waiting_cursor() {
    type Post = unsafe extern "system" fn(Handle, u32, usize, isize) -> i32;
    type Get = unsafe extern "system" fn(*mut [usize; 6], Handle, u32, u32) -> i32;
    unsafe {
        let (post, get) = (user32(c"PostMessageW"), user32(c"GetMessageW"));
        if post.is_null() || get.is_null() {
            return;
        }
        let post: Post = core::mem::transmute(post);
        let get: Get = core::mem::transmute(get);
        let mut message = [0_usize; 6];
        post(null_mut(), 0, 0, 0);
        get(&raw mut message, null_mut(), 0, 0);
    }
}

/// A function of the library for windows, which only GUI scripts load.
unsafe fn user32(name: &core::ffi::CStr) -> *const core::ffi::c_void {
    /// Only the system's own folder is looked into.
    const SEARCH_SYSTEM32: u32 = 0x800;
    let library: Vec<u16> = "user32.dll\0".encode_utf16().collect();
    unsafe {
        let library = LoadLibraryExW(library.as_ptr(), null_mut(), SEARCH_SYSTEM32);
        if library.is_null() {
            return null();
        }
        GetProcAddress(library, name.as_ptr().cast())
    }
}

/// Tells the user what went wrong: on standard error, or in a box where there is no console.
fn tell(message: &str, is_gui: bool) {
    if is_gui {
        type MessageBox = unsafe extern "system" fn(Handle, *const u16, *const u16, u32) -> i32;
        const ICON_ERROR: u32 = 0x10;
        let text: Vec<u16> = message.encode_utf16().chain([0]).collect();
        unsafe {
            let function = user32(c"MessageBoxW");
            if !function.is_null() {
                let function: MessageBox = core::mem::transmute(function);
                function(null_mut(), text.as_ptr(), null(), ICON_ERROR);
            }
        }
        return;
    }
    let mut line = String::from(message);
    line.push_str("\r\n");
    let wide: Vec<u16> = line.encode_utf16().collect();
    let (units, bytes) = (u32::try_from(wide.len()), u32::try_from(line.len()));
    let mut written = 0;
    // SAFETY: the buffers are as long as is said.
    unsafe {
        let handle = GetStdHandle(STD_ERROR);
        let on_console = WriteConsoleW(
            handle,
            wide.as_ptr(),
            units.unwrap_or(0),
            &raw mut written,
            null_mut(),
        );
        if on_console == 0 {
            WriteFile(
                handle,
                line.as_ptr(),
                bytes.unwrap_or(0),
                &raw mut written,
                null_mut(),
            );
        }
    }
}

/// A file open for reading.
struct File(Handle);

impl File {
    fn open(path: &[u16]) -> Option<Self> {
        // SAFETY: the path is closed by a zero.
        let handle = unsafe {
            CreateFileW(
                path.as_ptr(),
                GENERIC_READ,
                SHARE_ALL,
                null(),
                OPEN_EXISTING,
                0,
                null_mut(),
            )
        };
        (handle != INVALID_HANDLE).then_some(Self(handle))
    }

    fn len(&self) -> Option<u64> {
        let mut bytes = 0;
        let found = unsafe { GetFileSizeEx(self.0, &raw mut bytes) };
        (found != 0).then_some(bytes)?.try_into().ok()
    }

    /// Reads exactly these bytes.
    fn read(&self, from: u64, bytes: u64) -> Option<Vec<u8>> {
        let (wanted, from) = (u32::try_from(bytes).ok()?, i64::try_from(from).ok()?);
        let mut buffer = Vec::with_capacity(wanted as usize);
        let mut read = 0;
        // SAFETY: the buffer has room for what is asked, and is as long as what came.
        unsafe {
            if SetFilePointerEx(self.0, from, null_mut(), 0) == 0
                || ReadFile(
                    self.0,
                    buffer.as_mut_ptr(),
                    wanted,
                    &raw mut read,
                    null_mut(),
                ) == 0
                || read != wanted
            {
                return None;
            }
            buffer.set_len(wanted as usize);
        }
        Some(buffer)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        unsafe { CloseHandle(self.0) };
    }
}
