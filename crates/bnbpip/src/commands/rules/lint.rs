//! `bnbpip rules lint`: everything that is wrong with rule files, at once.

use bnbpip_overlay::{Catalog, Overlay, Profile, lint};

use crate::cli::rules::RulesLintArgs;
use crate::commands::rule_set;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

pub(super) fn run(
    arguments: &RulesLintArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let source = match &arguments.folder {
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => rule_set::EMBEDDED.to_owned(),
    };
    let files = rule_set::read(&source, settings)?;
    let mut problems: Vec<String> = Vec::new();
    let mut documents = Vec::with_capacity(files.len());
    for file in &files {
        match Overlay::parse_rule(&file.text, &file.name) {
            Ok(document) => documents.push(document),
            Err(error) => {
                problems.push(format!("{}:{}: {}", error.file, error.line, error.problem));
            }
        }
    }
    problems.extend(lint(&documents).iter().map(ToString::to_string));
    let profiles = rule_set::profile_files(arguments.folder.as_deref())?;
    let rules = rule_set::over_base(documents.iter().cloned(), settings)?;
    for file in &profiles {
        match Profile::parse(&file.text, &file.name) {
            Ok(profile) => problems.extend(profile.lint(&rules).iter().map(ToString::to_string)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let catalogs = rule_set::catalog_files(arguments.folder.as_deref())?;
    for file in &catalogs {
        if let Err(errors) = Catalog::parse(&file.text, &file.name) {
            problems.extend(errors.iter().map(ToString::to_string));
        }
    }
    for problem in &problems {
        printer.info(problem);
    }
    if problems.is_empty() {
        let files = [
            (documents.len(), "rule"),
            (profiles.len(), "profile"),
            (catalogs.len(), "catalog"),
        ];
        let present = files
            .iter()
            .filter(|(count, what)| *count > 0 || *what == "rule");
        let counted = present.map(|(count, what)| bnbpip_report::counted(*count, what));
        let counted: Vec<String> = counted.collect();
        printer.info(&format!(
            "{}, nothing wrong.",
            bnbpip_report::ranges::join_and(&counted)
        ));
        return Ok(());
    }
    Err(Failure::silent(exit_code::ERROR))
}
