//! Names that a mistyped one may have meant.

use bnbpip_overlay::Overlay;
use bnbpip_packaging::PackageName;
use bnbpip_resolver::InstalledPackage;
use rustc_hash::FxHashMap;

/// Packages that people install, a name a line.
const POPULAR: &str = include_str!("known_names.txt");

/// How alike two names have to be.
const LIKENESS: f64 = 0.75;

/// The known name that is most like `name`: of what is installed, of what rules speak of, or
/// popular. An index can't be searched.
pub(crate) fn nearest(
    name: &PackageName,
    overlay: &Overlay,
    installed: &FxHashMap<PackageName, InstalledPackage>,
) -> Option<String> {
    let ruled = overlay
        .rules()
        .flat_map(bnbpip_overlay::Rule::packages)
        .map(AsRef::as_ref);
    let known = installed
        .keys()
        .map(AsRef::as_ref)
        .chain(ruled)
        .chain(POPULAR.lines());
    known
        .filter(|known| *known != name.as_ref())
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(name.as_ref(), known),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let nearest = |name: &str| {
            nearest(
                &name.parse().unwrap(),
                &Overlay::empty(),
                &FxHashMap::default(),
            )
        };
        assert_eq!(nearest("unslot").as_deref(), Some("unsloth"));
        assert_eq!(nearest("bitsandbyte").as_deref(), Some("bitsandbytes"));
        assert_eq!(nearest("zzzzqqqq"), None);
    }
}
