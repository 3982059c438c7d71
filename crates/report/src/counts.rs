//! Numbers of things.

/// A number with its noun: `1 rule`, `2 rules`. The noun takes an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
