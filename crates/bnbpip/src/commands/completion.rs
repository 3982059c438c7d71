//! `bnbpip completion`: the code that a shell evaluates.

use clap_complete::Shell;

use crate::cli::{self, CompletionArgs};
use crate::failure::Failure;
use crate::printer::Printer;

/// Prints the code that completes the command `called` in a shell. Without a shell, what is missing
/// is said; as with pip that
/// is no failure.
///
/// # Errors
/// When the code can't be made.
pub(crate) fn run(
    arguments: &CompletionArgs,
    called: &str,
    printer: &Printer,
) -> Result<(), Failure> {
    let (shell, name) = if arguments.bash {
        (Shell::Bash, "bash")
    } else if arguments.zsh {
        (Shell::Zsh, "zsh")
    } else if arguments.fish {
        (Shell::Fish, "fish")
    } else if arguments.powershell {
        (Shell::PowerShell, "powershell")
    } else {
        printer.error("You must pass --bash or --fish or --powershell or --zsh");
        return Ok(());
    };
    let mut code = Vec::new();
    clap_complete::generate(shell, &mut cli::definition(), called, &mut code);
    let code = String::from_utf8(code)?;
    // zsh reads the first line of a file in its search path.
    let code = code.trim_end();
    let text = if shell == Shell::Zsh {
        format!("{code}\n# {called} {name} completion end")
    } else {
        format!("# {called} {name} completion start\n{code}\n# {called} {name} completion end")
    };
    printer.data(&text);
    Ok(())
}
