//! `bnbpip rules new`: a rule file to fill in, valid as it stands.

use bnbpip_overlay::RuleId;

use crate::cli::rules::RulesNewArgs;
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(arguments: &RulesNewArgs, printer: &Printer) -> Result<(), Failure> {
    let package = super::package(&arguments.package)?;
    let id: RuleId = arguments.id.parse()?;
    let now = jiff::Timestamp::now();
    let date = jiff::tz::Offset::UTC.to_datetime(now).date();
    printer.data(&format!(
        r#"+++
id = "{id}"
# One true sentence about the packages, without a full stop: messages quote it.
title = "{package} 1.0 breaks other-package 2"
kind = "conflict"        # conflict, exclude, requires or provides
severity = "broken"      # broken: proven not to work; avoid: works badly or in part
date = {date}
hint = "Use {package} 1.1 or newer"

[fixed]
{package} = "1.1"

[a]
packages = ["{package}"]
versions = ">=1.0,<1.1"

[b]
packages = ["other-package"]
versions = ">=2.0.dev0"

# At least one: artifact (a machine can check it), source, changelog or reproduction.
[[evidence]]
type = "reproduction"
detail = "What was run where, and what came of it"

[[tests]]
expect = "hit"
packages = ["{package}==1.0", "other-package==2.0"]

[[tests]]
expect = "miss"
packages = ["{package}==1.1", "other-package==2.0"]
target = "windows-3.11"
+++

# What the user sees

What breaks, why, since when, and what to do."#
    ));
    Ok(())
}
