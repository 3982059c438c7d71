//! What a project's `setup.py` and `setup.cfg` say that it requires, where they do so plainly: in one call of
//! setuptools' `setup`, in strings, lists and dictionaries that are the same wherever it runs.
//!
//! Nothing is run. A script that computes its requirements, or may change them between where they
//! are written and the call, says nothing plainly.

mod constants;
mod outline;

use std::collections::BTreeSet;

use bnbpip_packaging::metadata::{parse_requirement, parse_requires_python};
use bnbpip_packaging::requirement::parse_marker;
use bnbpip_packaging::{ExtraName, MarkerTree, Requirement, Requires, VersionSpecifiers};
use ruff_python_ast::ExprCall;

use self::constants::{Constant, Constants};
use self::outline::Outline;
use crate::parse::syntax;

/// What the keywords of the call have.
#[derive(Default)]
struct Keywords {
    /// With the markers of `extras_require`.
    requires_dist: Vec<Requirement>,
    extras: BTreeSet<ExtraName>,
    requires_python: Option<VersionSpecifiers>,
}

/// What a `setup.cfg` says beside a script, as it is written there.
#[derive(Debug, Default)]
pub struct SetupOptions {
    /// `[options]`, `install_requires`.
    pub install_requires: Option<String>,
    /// `[options.extras_require]`.
    pub extras_require: Vec<(String, String)>,
    /// `[options]`, `python_requires`.
    pub python_requires: Option<String>,
}

/// Reads a `setup.py`, if there is one, and the options beside it; `None` if they don't say plainly
/// what their project requires.
pub fn setup_requirements(script: Option<&[u8]>, options: &SetupOptions) -> Option<Requires> {
    let mut found = match script {
        Some(script) => from_script(script)?,
        None => Keywords::default(),
    };
    found.add_options(options)?;
    let python = found.requires_python.as_ref();
    Some(Requires::new(&found.requires_dist, &found.extras, python))
}

fn from_script(script: &[u8]) -> Option<Keywords> {
    let (_, module) = syntax(script)?;
    let outline = Outline::of(&module.body);
    let call = outline.setup_call()?;
    let constants = Constants::of(&module.body, &outline, call);
    let found = from_call(call, &constants)?;
    constants.are_unchanged().then_some(found)
}

fn from_call<'ast>(call: &'ast ExprCall, constants: &Constants<'ast>) -> Option<Keywords> {
    let mut found = Keywords::default();
    if !call.arguments.args.is_empty() {
        return None;
    }
    for keyword in &call.arguments.keywords {
        let value = || constants.value(&keyword.value);
        // What isn't named may be anything.
        match keyword.arg.as_ref()?.as_str() {
            "install_requires" => found.add(None, &value()?)?,
            "extras_require" => match value()? {
                Constant::None => {}
                Constant::Dict(extras) => {
                    for (extra, these) in &extras {
                        found.add(Some(extra), these)?;
                    }
                }
                _ => return None,
            },
            "python_requires" => match value()? {
                Constant::None => {}
                Constant::Text(text) if text.trim().is_empty() => {}
                Constant::Text(text) => {
                    found.requires_python = Some(parse_requires_python(&text).ok()?);
                }
                _ => return None,
            },
            // Another class of distribution, or one of these commands, may require what it likes.
            "distclass" => return None,
            "cmdclass" if outline::names_a_metadata_command(&keyword.value) => return None,
            _ => {}
        }
    }
    Some(found)
}

impl Keywords {
    /// Adds what `setup.cfg` has. Where both say something it is setuptools' affair which counts.
    fn add_options(&mut self, options: &SetupOptions) -> Option<()> {
        let is_said = !self.requires_dist.is_empty() || !self.extras.is_empty();
        let says = options.install_requires.is_some() || !options.extras_require.is_empty();
        if is_said && says || self.requires_python.is_some() && options.python_requires.is_some() {
            return None;
        }
        if let Some(these) = &options.install_requires {
            self.add(None, &listed(these)?)?;
        }
        for (extra, these) in &options.extras_require {
            self.add(Some(extra), &listed(these)?)?;
        }
        if let Some(text) = &options.python_requires {
            self.requires_python = Some(parse_requires_python(text).ok()?);
        }
        Some(())
    }

    /// Adds what `install_requires` has, or one key of `extras_require`: `name`, `name:marker` or
    /// `:marker`.
    fn add(&mut self, key: Option<&str>, value: &Constant) -> Option<()> {
        let (extra, marker) = match key {
            None => ("", ""),
            Some(key) => key.split_once(':').unwrap_or((key, "")),
        };
        let mut condition = match marker.trim() {
            "" => MarkerTree::TRUE,
            text if bnbpip_packaging::metadata::nesting(text) > 0 => return None,
            text => parse_marker(text).ok()?,
        };
        if !extra.trim().is_empty() {
            let extra: ExtraName = extra.trim().parse().ok()?;
            condition.and(parse_marker(&format!("extra == '{extra}'")).ok()?);
            self.extras.insert(extra);
        }
        for line in lines(value)? {
            let mut requirement = parse_requirement(line).ok()?;
            requirement.marker.and(condition.clone());
            self.requires_dist.push(requirement);
        }
        Some(())
    }
}

/// A list in `setup.cfg`: one in each line, or with semicolons between.
fn listed(text: &str) -> Option<Constant> {
    if text.trim_start().starts_with("file:") || text.trim_start().starts_with("attr:") {
        return None;
    }
    let separator = if text.contains('\n') { '\n' } else { ';' };
    let texts = text
        .split(separator)
        .map(|one| Constant::Text(one.trim().to_owned()));
    Some(Constant::List(texts.collect()))
}

/// The requirements of a list, or of a text with one in each line.
fn lines(value: &Constant) -> Option<Vec<&str>> {
    let mut found: Vec<&str> = match value {
        Constant::None => Vec::new(),
        Constant::Text(text) => text.lines().collect(),
        Constant::List(list) => list.iter().map(Constant::text).collect::<Option<_>>()?,
        Constant::Dict(_) => return None,
    };
    found.retain(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    // A continued line, or more in one entry of a list, is read by setuptools alone.
    let is_plain = |line: &&str| !line.trim_end().ends_with('\\') && !line.trim().contains('\n');
    found.iter().all(is_plain).then_some(found)
}
