//! The plan: what will change, why, and what it costs.

use std::fmt::Write as _;

use crate::sizes;

/// What happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is new.
    Add,
    /// Another version of it is replaced.
    Replace,
    /// The same version is installed again.
    Reinstall,
    /// It goes.
    Remove,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Reinstall => "reinstall",
            Self::Remove => "remove",
        }
    }
}

/// One package of a plan.
#[derive(Debug, Clone)]
pub struct PlanLine {
    /// What happens.
    pub action: Action,
    /// The package's name.
    pub name: String,
    /// The installed version.
    pub old: Option<String>,
    /// The new version.
    pub new: Option<String>,
    /// Why: who asked for it, and which rules had a say.
    pub reasons: Vec<String>,
    /// Whether it is worth a line of its own in a short plan: named by the user, replaced, or
    /// shaped by a rule.
    pub prominent: bool,
}

/// A whole plan.
#[derive(Debug, Clone, Default)]
pub struct PlanView {
    /// The changes.
    pub lines: Vec<PlanLine>,
    /// Bytes to fetch.
    pub download_bytes: u64,
    /// Files whose size the index doesn't tell.
    pub unknown_sizes: usize,
    /// Wheels that are in the cache already.
    pub cached_wheels: usize,
    /// What the change will take on disk, as far as known before unpacking.
    pub disk_bytes: u64,
    /// What is free on the environment's volume.
    pub free_bytes: Option<u64>,
}

impl PlanView {
    /// The plan as lines of text. The short form folds what dependencies bring into one line.
    pub fn render(&self, verbose: bool) -> String {
        let mut text = String::new();
        let (shown, folded): (Vec<&PlanLine>, Vec<&PlanLine>) = self
            .lines
            .iter()
            .partition(|line| verbose || line.prominent || self.lines.len() <= 12);
        let width = shown
            .iter()
            .map(|line| line.name.len())
            .max()
            .unwrap_or_default();
        let versions: Vec<String> = shown.iter().map(|line| version_column(line)).collect();
        let version_width = versions.iter().map(String::len).max().unwrap_or_default();
        for (line, version) in shown.iter().zip(&versions) {
            let row = format!(
                "  {:<9}  {:<width$}  {version:<version_width$}  {}",
                line.action.word(),
                line.name,
                line.reasons.join("; "),
            );
            text.push_str(row.trim_end());
            text.push('\n');
        }
        if !folded.is_empty() {
            let row = format!(
                "  {:<9}  {} more, that these need  (-v lists them)\n",
                "add",
                folded.len()
            );
            text.push_str(&row);
        }
        text.push_str(&self.totals());
        text
    }

    fn totals(&self) -> String {
        let mut download = format!("Download {}", sizes::bytes(self.download_bytes));
        // Writing to a string can't fail.
        if self.unknown_sizes > 0 {
            let _ = write!(
                download,
                " and {} files of unknown size",
                self.unknown_sizes
            );
        }
        if self.cached_wheels > 0 {
            let _ = write!(
                download,
                " ({} wheels are in the cache)",
                self.cached_wheels
            );
        }
        let disk = format!("disk about {}", sizes::bytes(self.disk_bytes));
        match self.free_bytes {
            Some(free) => format!("{download}, {disk} of {} free", sizes::bytes(free)),
            None => format!("{download}, {disk}"),
        }
    }
}

fn version_column(line: &PlanLine) -> String {
    match (&line.old, &line.new) {
        (Some(old), Some(new)) if old != new => format!("{old} -> {new}"),
        (_, Some(new)) => new.clone(),
        (Some(old), None) => old.clone(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_totals_follow() {
        let line = |action, name: &str, old: Option<&str>, new: &str, reason: &str| PlanLine {
            action,
            name: name.into(),
            old: old.map(Into::into),
            new: Some(new.into()),
            reasons: vec![reason.to_string()],
            prominent: true,
        };
        let plan = PlanView {
            lines: vec![
                line(
                    Action::Add,
                    "unsloth",
                    None,
                    "2026.11.2",
                    "you asked for it",
                ),
                line(
                    Action::Replace,
                    "bitsandbytes",
                    Some("0.43.0"),
                    "0.50.2",
                    "BNB-0001",
                ),
            ],
            download_bytes: 3_100_000_000,
            disk_bytes: 6_900_000_000,
            free_bytes: Some(41_000_000_000),
            cached_wheels: 2,
            ..PlanView::default()
        };
        assert_eq!(
            plan.render(false),
            "  add        unsloth       2026.11.2         you asked for it\n  \
               replace    bitsandbytes  0.43.0 -> 0.50.2  BNB-0001\n\
             Download 3.1 GB (2 wheels are in the cache), disk about 6.9 GB of 41.0 GB free"
        );
    }
}
