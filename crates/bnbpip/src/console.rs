//! What Windows' console does to text that isn't ASCII.
//!
//! Into a console text goes as UTF-16, and all of it arrives. Through a pipe it goes as UTF-8, and
//! who reads it (`more`, `findstr`, PowerShell) takes it for the console's code page: 437 or 1252,
//! unless somebody chose 65001.

/// UTF-8's number as a code page.
const UTF8: u32 = 65001;

/// The code page that the readers of a pipe go by; `None` on other systems, where all is UTF-8.
pub(crate) fn code_page() -> Option<u32> {
    #[cfg(windows)]
    {
        #[expect(unsafe_code, reason = "a call of the Windows API")]
        // SAFETY: it takes nothing and returns a number, 0 without a console.
        let code_page = unsafe { windows_sys::Win32::System::Console::GetConsoleOutputCP() };
        Some(code_page)
    }
    #[cfg(not(windows))]
    None
}

/// Whether signs beyond ASCII arrive as they are.
pub(crate) fn may_draw(is_terminal: bool, code_page: Option<u32>) -> bool {
    is_terminal || code_page.is_none_or(|number| number == UTF8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_of_old_code_pages_get_ascii() {
        for (is_terminal, code_page, expected) in [
            (true, Some(437), true),
            (true, Some(1252), true),
            (false, Some(437), false),
            (false, Some(1252), false),
            (false, Some(0), false),
            (false, Some(65001), true),
            (false, None, true),
        ] {
            assert_eq!(may_draw(is_terminal, code_page), expected, "{code_page:?}");
        }
        assert_eq!(code_page().is_some(), cfg!(windows));
    }
}
