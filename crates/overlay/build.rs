//! Reads and lints the rules, profiles and catalogs under `constraints`, and compiles them into the crate.
//! An invalid rule fails the build with its file and line.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "src/rules/mod.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the crate uses what the script does not"
)]
mod rules;

#[path = "src/catalogs/mod.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the crate uses what the script does not"
)]
mod catalogs;

use catalogs::Catalog;
use rules::{Profile, RuleDocument, encode, lint};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let output = PathBuf::from(std::env::var("OUT_DIR")?);
    let root = manifest
        .ancestors()
        .nth(2)
        .ok_or("the crate does not lie in a workspace")?;
    let mut files = Vec::new();
    collect(&root.join("constraints/rules"), "md", &mut files)?;
    files.sort();

    let mut faults = String::new();
    let mut documents = Vec::new();
    let mut sources = String::from("&[\n");
    for file in &files {
        let name = name_below(root, file);
        let text = fs_err::read_to_string(file)?;
        match RuleDocument::parse(&text, &name) {
            Ok(document) => documents.push(document),
            Err(error) => writeln!(faults, "{name}:{}: {}", error.line, error.problem)?,
        }
        let path = file.to_string_lossy();
        writeln!(
            sources,
            "RuleSource {{ path: {name:?}, text: include_str!({path:?}) }},"
        )?;
    }
    sources.push_str("]\n");
    for problem in lint(&documents) {
        writeln!(faults, "{problem}")?;
    }
    let profiles = profiles(root, &documents, &mut faults)?;
    let catalogs = catalogs(root, &mut faults)?;
    if !faults.is_empty() {
        return Err(format!("the rules are not valid\n{faults}").into());
    }

    documents.retain(|document| document.withdrawn.is_none());
    documents.sort_by(|left, right| left.rule.id.cmp(&right.rule.id));
    let compiled = encode(documents.iter().map(|document| &document.rule))?;
    fs_err::write(output.join("rules.postcard"), compiled)?;
    fs_err::write(output.join("sources.rs"), sources)?;
    fs_err::write(output.join("profiles.rs"), profiles)?;
    fs_err::write(output.join("catalogs.rs"), catalogs)?;
    Ok(())
}

/// The texts of the profiles; what is wrong with them, by themselves or by the rules, is added to the faults.
fn profiles(
    root: &Path,
    documents: &[RuleDocument],
    faults: &mut String,
) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(&root.join("constraints/profiles"), "toml", &mut files)?;
    files.sort();
    let mut sources = String::from("&[\n");
    for file in &files {
        let name = name_below(root, file);
        match Profile::parse(&fs_err::read_to_string(file)?, &name) {
            Ok(profile) => {
                for problem in profile.lint(documents) {
                    writeln!(faults, "{problem}")?;
                }
            }
            Err(error) => writeln!(faults, "{error}")?,
        }
        let path = file.to_string_lossy();
        writeln!(
            sources,
            "RuleSource {{ path: {name:?}, text: include_str!({path:?}) }},"
        )?;
    }
    sources.push_str("]\n");
    Ok(sources)
}

/// The texts of the catalogs; what is wrong with them is added to the faults.
fn catalogs(root: &Path, faults: &mut String) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(&root.join("constraints/catalogs"), "toml", &mut files)?;
    files.sort();
    let mut sources = String::from("&[\n");
    for file in &files {
        let name = name_below(root, file);
        if let Err(errors) = Catalog::parse(&fs_err::read_to_string(file)?, &name) {
            for error in errors {
                writeln!(faults, "{error}")?;
            }
        }
        let path = file.to_string_lossy();
        writeln!(
            sources,
            "RuleSource {{ path: {name:?}, text: include_str!({path:?}) }},"
        )?;
    }
    sources.push_str("]\n");
    Ok(sources)
}

/// Every file below a folder with this extension. Cargo runs the script again when the folder changes.
fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    announce(folder);
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, extension, files)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            announce(&path);
            files.push(path);
        }
    }
    Ok(())
}

fn announce(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// `constraints/rules/torch/BNB-0004.md`, on every system.
fn name_below(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file);
    let parts: Vec<_> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
