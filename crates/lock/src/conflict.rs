//! Texts with the conflict markers of an unfinished merge: the two sides again.

/// Ours and theirs of a text with conflict markers, the common ancestor's lines left out. None if
/// there are no markers, or they aren't complete.
pub fn conflict_sides(text: &str) -> Option<(String, String)> {
    #[derive(Clone, Copy, PartialEq)]
    enum In {
        Both,
        Ours,
        Base,
        Theirs,
    }
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut place = In::Both;
    let mut any = false;
    for line in text.split_inclusive('\n') {
        let marker = |sign: &str| {
            let rest = line.trim_end().strip_prefix(sign);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        place = match place {
            In::Both if marker("<<<<<<<") => In::Ours,
            In::Ours if marker("|||||||") => In::Base,
            In::Ours | In::Base if marker("=======") => In::Theirs,
            In::Theirs if marker(">>>>>>>") => {
                any = true;
                In::Both
            }
            unchanged => {
                if matches!(unchanged, In::Both | In::Ours) {
                    ours.push_str(line);
                }
                if matches!(unchanged, In::Both | In::Theirs) {
                    theirs.push_str(line);
                }
                continue;
            }
        };
    }
    (any && place == In::Both).then_some((ours, theirs))
}
