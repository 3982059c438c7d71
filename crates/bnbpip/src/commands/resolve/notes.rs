//! What is said of a resolution that succeeded.

use std::sync::Arc;

use bnbpip_index::PackageFile;
use bnbpip_resolver::Resolution;

use crate::printer::Printer;

/// What the user should know of how the resolution came about.
pub(crate) fn say(resolution: &Resolution<Arc<PackageFile>>, printer: &Printer) {
    for (name, version, extra) in &resolution.missing_extras {
        printer.warning(&format!(
            "{name} {version} does not provide the extra '{extra}'"
        ));
    }
    for rule in &resolution.relaxed {
        printer.warning(&format!(
            "{}: accepted, because nothing else meets the request",
            bnbpip_report::explain::rule_sentence_here(rule, &resolution.machine)
        ));
    }
    for package in &resolution.packages {
        if let bnbpip_resolver::Source::Index(file) = &package.source
            && let Some(reason) = &file.yanked
        {
            printer.warning(&format!(
                "The candidate selected for download or install is a yanked version: '{}' \
                 candidate (version {} at {}) Reason for being yanked: {}",
                package.name,
                package.version,
                file.shown_url(),
                if reason.is_empty() {
                    "<none given>"
                } else {
                    reason
                }
            ));
        }
    }
}
