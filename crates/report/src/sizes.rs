//! Sizes in decimal units, as pip shows them (`11 kB`, `2.5 MB`).

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} bytes");
    }
    let mut tenths = count / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    if unit == 0 || tenths >= 1000 {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_figures() {
        for (count, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (11_053, "11 kB"),
            (2_540_000, "2.5 MB"),
            (915_600_000, "916 MB"),
            (3_100_000_000, "3.1 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
