//! The options about where packages come from and which of their files may be chosen.

use clap::parser::ValueSource;
use clap::{ArgAction, Args};

use super::values::{Cutoff, IndexStrategy};
use crate::request::{FormatControl, ReleaseControl};

/// How near an index was named; the nearer ones are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Nearness {
    /// For this run: on the command line, or in a requirements file.
    #[default]
    Run,
    /// In a variable of bnbpip's.
    Variable,
    /// In the project's configuration.
    Project,
    /// In a variable or configuration file of pip's.
    Pip,
}

/// Where the values of options about indexes were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexOrigins {
    /// `--index-url`.
    pub index_url: Nearness,
    /// Each `--extra-index-url`.
    pub extra_index_url: Vec<Nearness>,
    /// Each `--index`.
    pub index: Vec<Nearness>,
}

/// The mirrors of indexes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MirrorArgs {
    /// Another place for what an index has, asked before it: `index=url`, with the address or the
    /// name of the index. Its files must have the index's hashes. Can be used multiple times.
    #[arg(long, value_name = "index=url", action = ArgAction::Append)]
    pub mirror: Vec<String>,
}

/// Where packages come from, and which files count.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Package Index Options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(crate) struct IndexArgs {
    /// The package index to ask: a URL or folder with a simple repository (PEP 503). PyPI unless
    /// said otherwise.
    #[arg(short = 'i', long, value_name = "url", aliases = ["pypi-url", "default-index"])]
    pub index_url: Option<String>,

    /// A further index. Indexes of the command line are asked before those of variables and files,
    /// and PyPI, where nothing stands in for it, is the last. Can be used multiple times.
    #[arg(long, value_name = "url", action = ArgAction::Append)]
    pub extra_index_url: Vec<String>,

    /// An index that is asked before --index-url: `name=url`, a URL, or the name of one that the
    /// project configures. Can be used multiple times.
    #[arg(long, value_name = "index", action = ArgAction::Append)]
    pub index: Vec<String>,

    /// Take a package from this index and no other: `torch=cu124`, with the name of an index, of
    /// one of PyTorch's, or a URL. Can be used multiple times.
    #[arg(long, value_name = "package=index", action = ArgAction::Append)]
    pub index_for: Vec<String>,

    /// Other places for what an index has.
    #[command(flatten)]
    pub mirrors: MirrorArgs,

    /// Ask no index, only the places of --find-links.
    #[arg(long)]
    pub no_index: bool,

    /// A folder of files, or a page with links to files, that is looked into before any index.
    /// Can be used multiple times.
    #[arg(short = 'f', long, value_name = "url", action = ArgAction::Append)]
    pub find_links: Vec<String>,

    /// How several indexes that have the same package are combined.
    #[arg(long, value_name = "strategy", value_enum)]
    pub index_strategy: Option<IndexStrategy>,

    /// The same where further indexes come from pip's variables or configuration files, which were
    /// written for one pool of all: unsafe-best-match is pip's way.
    #[arg(long, value_name = "strategy", value_enum)]
    pub pip_index_strategy: Option<IndexStrategy>,

    /// Include pre-releases and development versions.
    #[arg(long)]
    pub pre: bool,

    /// Include the pre-releases of these packages: names with commas between, or `:all:`, or
    /// `:none:` to empty the list. Can be used multiple times.
    #[arg(long, value_name = "release_control", action = ArgAction::Append)]
    all_releases: Vec<String>,

    /// Take only final releases of these packages, even where a pre-release is named: names with
    /// commas between, or `:all:`, or `:none:` to empty the list. Can be used multiple times.
    #[arg(long, value_name = "release_control", action = ArgAction::Append)]
    only_final: Vec<String>,

    /// Ask the index for news of these packages (and, with them, of all others) although what is
    /// cached is young: names with commas between, or `:all:`, or `:none:`.
    #[arg(long, value_name = "refresh_package", action = ArgAction::Append)]
    refresh_package: Vec<String>,

    /// Don't use wheels for these packages: names with commas between, or `:all:`, or `:none:`
    /// to empty the list. Can be used multiple times.
    #[arg(long, value_name = "format_control", action = ArgAction::Append, allow_hyphen_values = false)]
    no_binary: Vec<String>,

    /// Use nothing but wheels for these packages: names with commas between, or `:all:`, or
    /// `:none:` to empty the list. Can be used multiple times.
    #[arg(long, value_name = "format_control", action = ArgAction::Append)]
    only_binary: Vec<String>,

    /// Prefer a wheel of an older version to a source archive of a newer one.
    #[arg(long)]
    pub prefer_binary: bool,

    /// Only consider files uploaded before this time: a date or a time (ISO 8601), or `P7D` for
    /// seven days ago.
    #[arg(long, value_name = "datetime", value_parser = Cutoff::prior_to, overrides_with = "exclude_newer")]
    uploaded_prior_to: Option<Cutoff>,

    /// The same; a date includes that day, as with uv.
    #[arg(long, value_name = "datetime", value_parser = Cutoff::exclude_newer, overrides_with = "uploaded_prior_to")]
    exclude_newer: Option<Cutoff>,

    /// Parts what pip's variables and files say from what follows.
    #[arg(long, hide = true)]
    end_of_pip_settings: bool,

    /// Parts what variables say from what was typed.
    #[arg(long, hide = true)]
    end_of_settings: bool,

    /// Where the indexes were named.
    #[arg(skip)]
    pub origins: IndexOrigins,

    /// `--no-binary` and `--only-binary` in the order in which they were given.
    #[arg(skip)]
    pub format_control: FormatControl,

    /// `--all-releases` and `--only-final` in the order in which they were given.
    #[arg(skip)]
    pub release_control: ReleaseControl,
}

impl IndexArgs {
    /// These indexes, and everything else as it is without options.
    pub(crate) fn of_indexes(index_url: Option<String>, extra_index_url: Vec<String>) -> Self {
        Self {
            index_url,
            extra_index_url,
            ..Self::default()
        }
    }

    /// Only files uploaded before this moment count.
    pub(crate) fn cutoff(&self) -> Option<Cutoff> {
        self.uploaded_prior_to.or(self.exclude_newer)
    }

    /// Whether pages are asked for anew although what is cached is young.
    pub(crate) fn refreshes(&self) -> bool {
        let names = self
            .refresh_package
            .iter()
            .flat_map(|names| names.split(','));
        names.fold(false, |_, name| name.trim() != ":none:")
    }

    /// Fills in what depends on the order of the options on the command line, which clap's fields
    /// don't keep between two options.
    pub(super) fn note_order(&mut self, matches: &clap::ArgMatches) {
        self.order_formats(matches);
        let place_of = |id: &str| {
            let given = matches.value_source(id) == Some(ValueSource::CommandLine);
            given.then(|| matches.index_of(id)).flatten()
        };
        let (pip, variables) = (place_of("end_of_pip_settings"), place_of("end_of_settings"));
        let nearness = |place: usize| match (pip, variables) {
            (Some(end), _) if place < end => Nearness::Pip,
            (_, Some(end)) if place < end => Nearness::Variable,
            _ => Nearness::Run,
        };
        let of = |id: &str| -> Vec<Nearness> {
            let places = matches.indices_of(id).into_iter().flatten();
            places.map(nearness).collect()
        };
        self.origins = IndexOrigins {
            index_url: of("index_url").last().copied().unwrap_or_default(),
            extra_index_url: of("extra_index_url"),
            index: of("index"),
        };
    }

    /// Fills `format_control` and `release_control` from the order of the options on the command
    /// line, which clap's fields don't keep between two options.
    fn order_formats(&mut self, matches: &clap::ArgMatches) {
        let pair = [
            ("no_binary", &self.no_binary),
            ("only_binary", &self.only_binary),
        ];
        for (is_first, value) in in_order(matches, pair) {
            if is_first {
                self.format_control.no_binary(&value);
            } else {
                self.format_control.only_binary(&value);
            }
        }
        let pair = [
            ("all_releases", &self.all_releases),
            ("only_final", &self.only_final),
        ];
        for (is_first, value) in in_order(matches, pair) {
            if is_first {
                self.release_control.all_releases(&value);
            } else {
                self.release_control.only_final(&value);
            }
        }
    }
}

/// The values of two options in the order in which they were given, each with whether it is the
/// first option's.
fn in_order(matches: &clap::ArgMatches, pair: [(&str, &Vec<String>); 2]) -> Vec<(bool, String)> {
    let mut given: Vec<(usize, bool, String)> = Vec::new();
    for (position, (id, values)) in pair.into_iter().enumerate() {
        let indices = matches.indices_of(id).into_iter().flatten();
        let found = indices.zip(values);
        given.extend(found.map(|(index, value)| (index, position == 0, value.clone())));
    }
    given.sort_by_key(|(index, ..)| *index);
    let given = given.into_iter();
    given
        .map(|(_, is_first, value)| (is_first, value))
        .collect()
}
