//! `bnbpip doctor`: what is wrong with an environment that exists, whoever made it: what is
//! installed against the metadata, the rules and the machine. It ends with one command that mends
//! what was found.
//!
//! Here facts are gathered; what they mean is decided, and put into words, in
//! [`bnbpip_report::doctor`].

mod checks;
mod examination;
mod files;
mod machine;
mod mend;
mod packages;
mod stack;
mod trial;

use bnbpip_report::doctor::{Diagnosis, Privacy};

use self::examination::Examination;
use self::mend::Mending;
use crate::cli::DoctorArgs;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// Looks at an environment and says what is wrong with it.
///
/// # Errors
/// When something is wrong, which has then been printed; or when there is no environment, or it
/// can't be mended.
pub(crate) fn run(
    arguments: &DoctorArgs,
    settings: &Settings,
    printer: &'static Printer,
) -> Result<(), Failure> {
    let examination = Examination::of(settings, arguments, printer)?;
    let mut diagnosis = examination.diagnose(printer)?;
    let mending = Mending {
        examination: &examination,
        arguments,
        settings,
        printer,
    };
    let steps = mending.plan(&mut diagnosis);
    let mends = arguments.fix && !steps.is_empty();
    if arguments.run && !mends {
        diagnosis.checks = checks::run(&examination, arguments.run_timeout, printer);
    }
    say(&diagnosis, arguments.json, settings, printer)?;
    if mends {
        mending.run(&steps)?;
        let examination = Examination::of(settings, arguments, printer)?;
        diagnosis = examination.diagnose(printer)?;
        diagnosis.facts.clear();
        if arguments.run {
            diagnosis.checks = checks::run(&examination, arguments.run_timeout, printer);
        }
        printer.data("");
        say(&diagnosis, false, settings, printer)?;
    }
    if diagnosis.is_clean() {
        return Ok(());
    }
    Err(Failure::silent(exit_code::FINDINGS))
}

/// Prints a diagnosis, without what is private unless `-v`.
fn say(
    diagnosis: &Diagnosis,
    as_json: bool,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let verbose = printer.verbosity() > 0;
    let homes = ["HOME", "USERPROFILE"]
        .iter()
        .filter_map(|name| settings.environment.get(name))
        .map(str::to_owned);
    let privacy = Privacy::new(homes);
    if as_json {
        let json = diagnosis.json(&privacy, verbose, env!("CARGO_PKG_VERSION"));
        let text = serde_json::to_string_pretty(&json)?;
        printer.data(&text);
    } else {
        printer.data(&diagnosis.render(&privacy, verbose));
    }
    Ok(())
}
