//! What the launcher uses of Windows: declarations, an allocator, and the functions on memory that the
//! compiler calls.

#![allow(missing_docs, reason = "the names and meanings are Windows' own")]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

pub type Handle = *mut c_void;

pub const INVALID_HANDLE: Handle = usize::MAX as Handle;
pub const STD_ERROR: u32 = -12_i32 as u32;
pub const GENERIC_READ: u32 = 0x8000_0000;
/// Readers, writers and removal are all let in: the launcher is in nobody's way.
pub const SHARE_ALL: u32 = 7;
pub const OPEN_EXISTING: u32 = 3;
pub const INFINITE: u32 = u32::MAX;
pub const CODE_PAGE_UTF8: u32 = 65_001;
pub const EXTENDED_LIMIT_INFORMATION: i32 = 9;
pub const KILL_ON_JOB_CLOSE: u32 = 0x2000;
pub const SILENT_BREAKAWAY_OK: u32 = 0x1000;
pub const CREATE_SUSPENDED: u32 = 4;

#[repr(C)]
pub struct StartupInfo {
    pub size: u32,
    pub reserved: *mut u16,
    pub desktop: *mut u16,
    pub title: *mut u16,
    pub numbers: [u32; 8],
    pub show_window: u16,
    pub reserved2_bytes: u16,
    pub reserved2: *mut u8,
    pub standard_input: Handle,
    pub standard_output: Handle,
    pub standard_error: Handle,
}

#[repr(C)]
pub struct ProcessInformation {
    pub process: Handle,
    pub thread: Handle,
    pub process_id: u32,
    pub thread_id: u32,
}

#[repr(C)]
#[derive(Default)]
pub struct ExtendedLimits {
    pub times: [i64; 2],
    pub limit_flags: u32,
    pub working_set: [usize; 2],
    pub active_processes: u32,
    pub affinity: usize,
    pub priority_class: u32,
    pub scheduling_class: u32,
    pub io_counters: [u64; 6],
    pub memory: [usize; 4],
}

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    pub fn AssignProcessToJobObject(job: Handle, process: Handle) -> i32;
    pub fn CloseHandle(handle: Handle) -> i32;
    pub fn CreateFileW(
        path: *const u16,
        access: u32,
        share: u32,
        security: *const c_void,
        disposition: u32,
        flags: u32,
        template: Handle,
    ) -> Handle;
    pub fn CreateJobObjectW(security: *const c_void, name: *const u16) -> Handle;
    pub fn CreateProcessW(
        application: *const u16,
        command_line: *mut u16,
        process_security: *const c_void,
        thread_security: *const c_void,
        inherit_handles: i32,
        flags: u32,
        environment: *const c_void,
        folder: *const u16,
        startup: *const StartupInfo,
        information: *mut ProcessInformation,
    ) -> i32;
    pub fn ExitProcess(code: u32) -> !;
    pub fn GetCommandLineW() -> *const u16;
    pub fn GetExitCodeProcess(process: Handle, code: *mut u32) -> i32;
    pub fn GetFileSizeEx(file: Handle, size: *mut i64) -> i32;
    pub fn GetLastError() -> u32;
    pub fn GetModuleFileNameW(module: Handle, path: *mut u16, units: u32) -> u32;
    pub fn GetProcAddress(library: Handle, name: *const u8) -> *const c_void;
    pub fn GetProcessHeap() -> Handle;
    pub fn GetStartupInfoW(startup: *mut StartupInfo);
    pub fn GetStdHandle(which: u32) -> Handle;
    pub fn HeapAlloc(heap: Handle, flags: u32, bytes: usize) -> *mut u8;
    pub fn HeapFree(heap: Handle, flags: u32, memory: *mut u8) -> i32;
    pub fn LoadLibraryExW(name: *const u16, file: Handle, flags: u32) -> Handle;
    pub fn MultiByteToWideChar(
        code_page: u32,
        flags: u32,
        text: *const u8,
        bytes: i32,
        wide: *mut u16,
        units: i32,
    ) -> i32;
    pub fn ReadFile(
        file: Handle,
        buffer: *mut u8,
        bytes: u32,
        read: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
    pub fn ResumeThread(thread: Handle) -> u32;
    pub fn SetConsoleCtrlHandler(
        handler: Option<unsafe extern "system" fn(u32) -> i32>,
        add: i32,
    ) -> i32;
    pub fn SetFilePointerEx(file: Handle, distance: i64, new: *mut i64, method: u32) -> i32;
    pub fn SetInformationJobObject(
        job: Handle,
        class: i32,
        information: *const c_void,
        bytes: u32,
    ) -> i32;
    pub fn WaitForSingleObject(handle: Handle, milliseconds: u32) -> u32;
    pub fn WriteConsoleW(
        console: Handle,
        text: *const u16,
        units: u32,
        written: *mut u32,
        reserved: *mut c_void,
    ) -> i32;
    pub fn WriteFile(
        file: Handle,
        buffer: *const u8,
        bytes: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
}

/// The process's heap.
struct ProcessHeap;

// SAFETY: the heap aligns to 16 bytes on 64-bit Windows, and nothing here asks for more.
unsafe impl GlobalAlloc for ProcessHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { HeapAlloc(GetProcessHeap(), 0, layout.size()) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        unsafe { HeapFree(GetProcessHeap(), 0, memory) };
    }
}

#[cfg(not(test))]
#[global_allocator]
static HEAP: ProcessHeap = ProcessHeap;

#[cfg(not(test))]
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    unsafe { ExitProcess(crate::run::exit_code::INTERNAL) }
}

/// The compiler calls these for copies and comparisons; without them the C runtime would be needed.
#[cfg(not(test))]
mod memory {
    use core::arch::asm;

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
        unsafe {
            asm!("rep movsb", inout("rcx") bytes => _, inout("rdi") to => _, inout("rsi") from => _);
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
        if (to as usize).wrapping_sub(from as usize) >= bytes {
            return unsafe { memcpy(to, from, bytes) };
        }
        unsafe {
            asm!(
                "std", "rep movsb", "cld",
                inout("rcx") bytes => _,
                inout("rdi") to.add(bytes).sub(1) => _,
                inout("rsi") from.add(bytes).sub(1) => _,
            );
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, value: i32, bytes: usize) -> *mut u8 {
        unsafe {
            asm!("rep stosb", inout("rcx") bytes => _, inout("rdi") to => _, in("al") value as u8);
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, bytes: usize) -> i32 {
        let mut at = 0;
        while at < bytes {
            let (one, other) = unsafe { (*left.add(at), *right.add(at)) };
            if one != other {
                return i32::from(one) - i32::from(other);
            }
            at += 1;
        }
        0
    }
}
