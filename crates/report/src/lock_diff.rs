//! The difference of two locks, as people read it.

use bnbpip_lock::{FilesDiff, LockDiff, PackageDiff, SettingDiff, Side};

/// The lines: what is different about the whole, then each package. `+` is only in the new lock,
/// `-` only in the old one, `!` should be looked at.
pub fn text(diff: &LockDiff) -> String {
    let mut lines: Vec<String> = diff.lock.iter().flat_map(setting).collect();
    lines.extend(diff.packages.iter().flat_map(package));
    lines.join("\n")
}

fn setting(setting: &SettingDiff) -> Vec<String> {
    let name = setting.name;
    if let ([old], [new]) = (&setting.removed[..], &setting.added[..]) {
        return vec![format!("  {name}: {old} → {new}")];
    }
    let removed = setting.removed.iter().map(|it| format!("- {name}: {it}"));
    let added = setting.added.iter().map(|it| format!("+ {name}: {it}"));
    removed.chain(added).collect()
}

fn package(package: &PackageDiff) -> Vec<String> {
    let name = &package.name;
    let place = if package.places.is_empty() {
        String::new()
    } else {
        format!(" ({})", package.places.join("; "))
    };
    let (old, new) = match (&package.old, &package.new) {
        (Some(old), Some(new)) => (old, new),
        (Some(old), None) => return vec![format!("- {name}{}{place}", version(old))],
        (None, Some(new)) => return vec![format!("+ {name}{}{place}", version(new))],
        (None, None) => return Vec::new(),
    };
    let mut lines = vec![if old.version == new.version {
        format!("  {name}{}{place}", version(new))
    } else {
        format!("  {name}{} →{}{place}", version(old), version(new))
    }];
    lines.extend(changes(old, new));
    lines.extend(files(&package.files));
    lines
}

fn version(side: &Side) -> String {
    match &side.version {
        Some(version) => format!(" {version}"),
        None => format!(" {}", side.source),
    }
}

fn changes(old: &Side, new: &Side) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |mark, noun, old: String, new: String| {
        if old != new {
            lines.push(format!("  {mark} {noun}: {old} → {new}"));
        }
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    line("!", "index", or_none(&old.index), or_none(&new.index));
    line(
        "!",
        "publisher",
        listed(&old.publishers),
        listed(&new.publishers),
    );
    // Without versions the sources stand for them.
    if old.version.is_some() || new.version.is_some() {
        line(" ", "source", old.source.clone(), new.source.clone());
    }
    line(
        " ",
        "asked for as",
        listed(&old.requirements),
        listed(&new.requirements),
    );
    line(
        " ",
        "Python",
        or_none(&old.requires_python),
        or_none(&new.requires_python),
    );
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter()
            .filter(|it| !other.contains(it))
            .cloned()
            .collect()
    };
    let gone = only(&old.dependencies, &new.dependencies);
    let come = only(&new.dependencies, &old.dependencies);
    if !gone.is_empty() {
        lines.push(format!("    no longer needs {}", gone.join(", ")));
    }
    if !come.is_empty() {
        lines.push(format!("    now needs {}", come.join(", ")));
    }
    lines
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() {
        return "none".to_owned();
    }
    texts.join(" and ")
}

fn files(files: &FilesDiff) -> Vec<String> {
    let changed = files
        .changed
        .iter()
        .map(|it| format!("  ! {it} is another file"));
    let removed = files.removed.iter().map(|it| format!("  - {it}"));
    let added = files.added.iter().map(|it| format!("  + {it}"));
    changed.chain(removed).chain(added).collect()
}
