//! Which names of files mean something else on Windows. They are refused everywhere: what is
//! made on one system is used on another.

/// Whether Windows takes a path's component for a device: `NUL`, `com1.txt` and their like, in
/// any case and with any extension
/// ([naming files](https://learn.microsoft.com/windows/win32/fileio/naming-a-file)).
///
/// ```
/// use bnbpip_packaging::file_name::is_windows_device;
///
/// assert!(is_windows_device("aux.py"));
/// assert!(!is_windows_device("auxiliary.py"));
/// ```
pub fn is_windows_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().trim_end();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return true;
    }
    let Some((name, number)) = stem.split_at_checked(3) else {
        return false;
    };
    let mut number = number.chars();
    (name.eq_ignore_ascii_case("COM") || name.eq_ignore_ascii_case("LPT"))
        && number
            .next()
            .is_some_and(|digit| digit.is_ascii_digit() || "¹²³".contains(digit))
        && number.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_devices_from_their_like() {
        for device in [
            "NUL", "nul.txt", "Aux .py", "com0", "LPT9.a.b", "com¹", "conin$",
        ] {
            assert!(is_windows_device(device), "{device}");
        }
        for name in [
            "", "null", "com", "com10", "lpt", "x.nul", "communal", "coñ1",
        ] {
            assert!(!is_windows_device(name), "{name}");
        }
    }
}
