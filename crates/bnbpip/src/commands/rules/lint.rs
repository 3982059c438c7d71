//! `bnbpip rules lint`: everything that is wrong with rule files, at once.

use bnbpip_overlay::{Overlay, lint};

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
    for problem in &problems {
        printer.info(problem);
    }
    if problems.is_empty() {
        printer.info(&format!("{} rules, nothing wrong.", documents.len()));
        return Ok(());
    }
    Err(Failure::silent(exit_code::ERROR))
}
