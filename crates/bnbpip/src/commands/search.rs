//! `bnbpip search`: what to do instead.

use crate::cli::SearchArgs;
use crate::failure::Failure;

/// Says where to search.
///
/// # Errors
/// Always: indexes no longer answer searches.
pub(crate) fn run(arguments: &SearchArgs) -> Result<(), Failure> {
    if arguments.query.is_empty() {
        return Err(Failure::new("Missing required argument (search query)."));
    }
    let place = match &arguments.index {
        Some(index) => format!("`{index}`"),
        None => "the index".to_owned(),
    };
    Err(Failure::new(format!(
        "Failed to search for `{}`: {place} no longer answers searches",
        arguments.query.join(" ")
    ))
    .hint("search on the index's web site (https://pypi.org/search), or name the package: `bnbpip index versions NAME`"))
}
