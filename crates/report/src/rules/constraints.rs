//! Rules as a constraints file, for pip and uv: what a list of `name!=version` lines can say.

use std::fmt::Write as _;

use bnbpip_overlay::{Exclude, Rule, RuleKind};
use bnbpip_packaging::{MarkerTree, Operator, VersionSpecifier, VersionSpecifiers};

/// The plain exclusions of whole releases as lines of a constraints file.
///
/// Conflicts, single wheels and missing requirements can't be said in one; a comment counts them.
pub fn constraints<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let mut lines = String::new();
    let mut unsaid = 0;
    for rule in rules {
        let said = match &rule.kind {
            RuleKind::Exclude(exclude) => said(exclude),
            _ => None,
        };
        let Some(RuleLine { name, specifiers }) = said else {
            unsaid += 1;
            continue;
        };
        let marker = rule.marker.as_ref().and_then(MarkerTree::try_to_string);
        let marker = marker.map(|marker| format!(" ; {marker}"));
        let _ = writeln!(
            lines,
            "# {} ({}): {}\n{name}{specifiers}{}",
            rule.id,
            rule.severity,
            rule.title,
            marker.unwrap_or_default()
        );
    }
    let _ = write!(
        lines,
        "# {unsaid} further rules can't be said in a constraints file."
    );
    lines
}

struct RuleLine {
    name: String,
    specifiers: String,
}

/// The versions that an exclusion leaves, if one specifier set can say it.
fn said(exclude: &Exclude) -> Option<RuleLine> {
    if exclude.is_limited_to_wheels() {
        return None;
    }
    let inverse: Option<Vec<String>> = exclude.versions.alternatives.iter().map(inverse).collect();
    Some(RuleLine {
        name: exclude.package.to_string(),
        specifiers: inverse?.join(","),
    })
}

/// The complement of a specifier set: sayable for one specifier alone.
fn inverse(specifiers: &VersionSpecifiers) -> Option<String> {
    let mut all = specifiers.iter();
    let (Some(one), None) = (all.next(), all.next()) else {
        return None;
    };
    let operator = opposite(one)?;
    Some(format!("{operator}{}", one.version()))
}

fn opposite(specifier: &VersionSpecifier) -> Option<&'static str> {
    Some(match specifier.operator() {
        Operator::Equal => "!=",
        Operator::NotEqual => "==",
        Operator::LessThan => ">=",
        Operator::LessThanEqual => ">",
        Operator::GreaterThan => "<=",
        Operator::GreaterThanEqual => "<",
        Operator::EqualStar
        | Operator::NotEqualStar
        | Operator::ExactEqual
        | Operator::TildeEqual => return None,
    })
}
