//! Output that people paste into public places: no home folders, no user names in paths.

/// Takes the user's name out of texts.
#[derive(Debug, Clone, Default)]
pub struct Privacy {
    homes: Vec<String>,
}

/// The folders that hold the users' own.
const USER_FOLDERS: [&str; 3] = ["/home/", "/Users/", "\\Users\\"];

impl Privacy {
    /// Shortens this home folder, and every other user's.
    pub fn new(homes: impl IntoIterator<Item = String>) -> Self {
        let mut homes: Vec<String> = homes
            .into_iter()
            .map(|home| home.trim_end_matches(['/', '\\']).to_owned())
            .filter(|home| home.len() > 1)
            .collect();
        homes.sort_by_key(|home| std::cmp::Reverse(home.len()));
        Self { homes }
    }

    /// The text with `~` in place of home folders.
    pub fn shorten(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for home in &self.homes {
            text = replace_folder(&text, home);
        }
        for folder in USER_FOLDERS {
            text = replace_users(&text, folder);
        }
        text
    }
}

/// Replaces a folder, but not the beginning of another folder's longer name.
fn replace_folder(text: &str, folder: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(folder) {
        let after = &rest[at + folder.len()..];
        shown.push_str(&rest[..at]);
        let ends = !after
            .starts_with(|next: char| next.is_alphanumeric() || matches!(next, '-' | '_' | '.'));
        shown.push_str(if ends { "~" } else { folder });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Replaces `/home/NAME` and `C:\Users\NAME`.
fn replace_users(text: &str, folder: &str) -> String {
    let separator = if folder.contains('\\') { '\\' } else { '/' };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(folder) {
        let before = &rest[..at];
        let after = &rest[at + folder.len()..];
        let end = after
            .find(|next: char| next == separator || "`'\"):;,\n".contains(next))
            .unwrap_or(after.len());
        // Only at the root: `/srv/home/data` names no user.
        let root = before.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ':');
        let drive = &before[root.len()..];
        let is_drive = drive.len() == 2 && drive.ends_with(':');
        let is_root = drive.is_empty()
            && !before.ends_with(|c: char| c.is_alphanumeric() || "/\\.-_~".contains(c));
        if end == 0 || !(is_drive || is_root) {
            shown.push_str(&rest[..at + folder.len()]);
            rest = after;
            continue;
        }
        shown.push_str(&before[..before.len() - drive.len()]);
        shown.push('~');
        rest = &after[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_become_a_tilde() {
        let privacy = Privacy::new(["/data/zoe/".to_owned(), "/".to_owned()]);
        for (text, shown) in [
            ("in `/data/zoe/ai/.venv`", "in `~/ai/.venv`"),
            ("/data/zoe", "~"),
            ("/data/zoella/x", "/data/zoella/x"),
            ("/home/bob/x and /home/eve", "~/x and ~"),
            ("/srv/home/data", "/srv/home/data"),
            (r"`C:\Users\Zoë Ö\ai\x.dll`", r"`~\ai\x.dll`"),
            ("/Users/bob/Library", "~/Library"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(privacy.shorten(text), shown, "{text}");
        }
    }
}
