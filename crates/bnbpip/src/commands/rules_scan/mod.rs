//! `bnbpip rules scan`: which releases of a package import what which releases of others lack.
//!
//! The scanner asks for files, the index's client brings them by ranges, and this joins the two.

mod output;
mod releases;
mod search;

use bnbpip_index::IndexClient;
use bnbpip_packaging::Requirement;
use bnbpip_scan::Facts;

use crate::cli::rules_scan::RulesScanArgs;
use crate::commands::resolve::{network, runtime};
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;
use crate::request::FileOptions;
use releases::Releases;
use search::Search;

/// The stack of the thread that parses and follows: both recurse as deep as the code nests.
const STACK_BYTES: usize = 256 << 20;

/// Scans, and prints what was found.
///
/// # Errors
/// When a package can't be had. Findings are an error without words, with an exit code of its own.
pub(crate) fn run(
    arguments: &RulesScanArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let package = match &arguments.package {
        Some(package) if !arguments.against.is_empty() => requirement(package)?,
        _ => {
            let message = "Need a package to scan and what to scan it against: `bnbpip rules scan \
                           bitsandbytes --against triton`";
            return Err(Failure::new(message).exit_with(exit_code::USAGE));
        }
    };
    let against: Vec<Requirement> = arguments
        .against
        .iter()
        .map(|text| requirement(text))
        .collect::<Result<_, _>>()?;
    let runtime = runtime()?;
    let options = network::client_options(settings, &[]);
    let locations = network::locations(&arguments.index(), &FileOptions::default(), settings)?;
    let client = IndexClient::new(locations, network::cache(settings)?, &options);
    let facts = Facts {
        system: arguments.python_platform,
        python: arguments.python_version,
    };
    let work = || -> Result<Vec<search::Pairs>, Failure> {
        let package = runtime.block_on(Releases::open(&client, &package, facts, printer))?;
        let search = Search {
            facts,
            modules: arguments.modules.clone(),
            runtime: runtime.handle().clone(),
        };
        let mut package = search.prepare(package)?;
        let mut pairs = Vec::new();
        for other in &against {
            let other = runtime.block_on(Releases::open(&client, other, facts, printer))?;
            pairs.push(search.pairs(&mut package, other, arguments.conditional)?);
        }
        Ok(pairs)
    };
    let pairs = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, work)?.join() {
            Ok(pairs) => pairs,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    printer.data(&if arguments.json {
        output::json(&pairs)
    } else {
        output::text(&pairs)
    });
    if pairs.iter().all(|one| one.breaks.is_empty()) {
        return Ok(());
    }
    Err(Failure::silent(exit_code::FINDINGS))
}

fn requirement(text: &str) -> Result<Requirement, Failure> {
    bnbpip_packaging::requirement::parse(text).map_err(|error| {
        Failure::new(format!("Failed to understand `{text}` as a package")).caused_by(
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    })
}
