//! `bnbpip`: command line and configuration, wired to the crates that do the work; the only crate
//! that prints, asks, reads environment variables and ends with an exit code.

mod bounded;
mod cli;
mod commands;
mod configuration;
mod console;
mod failure;
mod interrupt;
mod output_file;
mod printer;
mod request;
mod secrets;
mod temporary;

use std::process::ExitCode;

use crate::cli::{Cli, Command, Parsed};
use crate::configuration::ProcessEnvironment;
use crate::configuration::settings::Settings;
use crate::failure::{Failure, exit_code};
use crate::printer::{ColorChoice, Printer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has memory that is free for 10 ms given back. The allocator's own second is longer than most
/// runs: what the pages of an index were read with would stay to the end.
#[expect(
    unsafe_code,
    reason = "the allocator's options are behind its C interface"
)]
fn give_memory_back() {
    /// `mi_option_purge_delay`, in milliseconds, of `mimalloc.h`; the bindings have no name for it.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: it stores a number; the variable `MIMALLOC_PURGE_DELAY` goes before it.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 10) };
}

fn main() -> ExitCode {
    give_memory_back();
    temporary::settle();
    let environment = ProcessEnvironment::capture();
    if let Some(candidates) = commands::autocomplete::answer(&environment) {
        if !candidates.is_empty() {
            Printer::new(0, ColorChoice::Never, None).data(&candidates);
        }
        return ExitCode::from(exit_code::ERROR);
    }
    let (cli, warnings) = match cli::parse(ProcessEnvironment::command_line(), &environment) {
        Ok(Parsed::Run(cli, warnings)) => (cli, warnings),
        Ok(Parsed::Version(cli)) => {
            let settings = Settings::resolve(&cli.global, &environment);
            let printer = Printer::new(0, ColorChoice::Auto, None);
            printer.data(&commands::version::line(&settings));
            return ExitCode::SUCCESS;
        }
        Ok(Parsed::Show(text)) => {
            let printer = Printer::new(0, ColorChoice::Auto, None);
            printer.data(&text);
            return ExitCode::SUCCESS;
        }
        Err(failure) => {
            Printer::new(0, ColorChoice::Auto, None).failure(&failure);
            return ExitCode::from(failure.exit_code());
        }
    };
    let settings = Settings::resolve(&cli.global, &environment);
    let color = settings.color;
    let mut settings = match settings.completed(&cli.global) {
        Ok(settings) => settings,
        Err(failure) => {
            Printer::new(0, color, None).failure(&failure);
            return ExitCode::from(failure.exit_code());
        }
    };
    let printer = match open_printer(&settings) {
        Ok(printer) => printer,
        Err(failure) => {
            Printer::new(0, settings.color, None).failure(&failure);
            return ExitCode::from(failure.exit_code());
        }
    };
    // It lives as long as the process; the Ctrl-C handler needs it too.
    let printer: &'static Printer = Box::leak(Box::new(printer));
    settings.asker = Some(commands::asking::asker(&settings, printer));
    for warning in &warnings {
        printer.warning(warning);
    }
    let code = match run(&cli, &settings, printer) {
        Ok(()) => 0,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit_code()
        }
    };
    if printer.stdout_is_broken() {
        printer.error("Pipe to stdout was broken");
        return ExitCode::from(exit_code::BROKEN_PIPE);
    }
    ExitCode::from(code)
}

fn open_printer(settings: &Settings) -> Result<Printer, Failure> {
    let log = match &settings.log {
        Some(path) => {
            if let Some(folder) = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                fs_err::create_dir_all(folder)?;
            }
            let file = fs_err::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)?;
            Some(file.into_parts().0)
        }
        None => None,
    };
    Ok(Printer::new(settings.verbosity, settings.color, log))
}

fn run(cli: &Cli, settings: &Settings, printer: &'static Printer) -> Result<(), Failure> {
    use crate::commands::{
        audit, bundle, cache, check, completion, config, debug, doctor, download, freeze, hash,
        history, index, inspect, install, list, lock, manual, rules, search, show, sync, tree,
        undo, uninstall, venv, wheel,
    };
    match &cli.command {
        Some(Command::Install(arguments)) => {
            interrupt::listen(printer);
            install::run(arguments, settings, printer)
        }
        Some(Command::Download(arguments)) => {
            interrupt::listen(printer);
            download::run(arguments, settings, printer)
        }
        Some(Command::Wheel(arguments)) => {
            interrupt::listen(printer);
            wheel::run(arguments, settings, printer)
        }
        Some(Command::Bundle(arguments)) => {
            interrupt::listen(printer);
            bundle::run(arguments, settings, printer)
        }
        Some(Command::Lock(arguments)) => lock::run(arguments, settings, printer),
        Some(Command::Sync(arguments)) => {
            interrupt::listen(printer);
            sync::run(arguments, settings, printer)
        }
        Some(Command::Uninstall(arguments)) => {
            interrupt::listen(printer);
            uninstall::run(arguments, settings, printer)
        }
        Some(Command::Freeze(arguments)) => freeze::run(arguments, settings, printer),
        Some(Command::List(arguments)) => list::run(arguments, settings, printer),
        Some(Command::Show(arguments)) => show::run(arguments, settings, printer),
        Some(Command::Tree(arguments)) => tree::run(arguments, settings, printer),
        Some(Command::Why(arguments)) => tree::why(arguments, settings, printer),
        Some(Command::Audit(arguments)) => audit::run(arguments, settings, printer),
        Some(Command::Inspect(arguments)) => inspect::run(arguments, settings, printer),
        Some(Command::Check(arguments)) => check::run(arguments, settings, printer),
        Some(Command::Doctor(arguments)) => {
            interrupt::listen(printer);
            doctor::run(arguments, settings, printer)
        }
        Some(Command::History(arguments)) => history::run(arguments, settings, printer),
        Some(Command::Undo(arguments)) => {
            interrupt::listen(printer);
            undo::run(arguments, settings, printer)
        }
        Some(Command::Venv(arguments)) => venv::run(arguments, settings, printer),
        Some(Command::Rules(arguments)) => rules::run(arguments, settings, printer),
        Some(Command::Cache(arguments)) => cache::run(arguments, settings, printer),
        Some(Command::Config(arguments)) => config::run(arguments, settings, printer),
        Some(Command::Index(arguments)) => index::run(arguments, settings, printer),
        Some(Command::Completion(arguments)) => {
            completion::run(arguments, &ProcessEnvironment::called(), printer)
        }
        Some(Command::Debug(arguments)) => debug::run(arguments, settings, printer),
        Some(Command::Hash(arguments)) => hash::run(arguments, printer),
        Some(Command::Search(arguments)) => search::run(arguments),
        Some(Command::Help(arguments)) => manual::run(arguments, settings, printer),
        // An empty command line has been answered while parsing.
        None => Ok(()),
    }
}
