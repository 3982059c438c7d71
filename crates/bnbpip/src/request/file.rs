//! Requirements and constraints files, nested ones included.

use std::io::{self, ErrorKind};

use rustc_hash::{FxHashMap, FxHashSet};
use url::Url;

use super::file_options::{FormatOption, ReleaseOption};
use super::line::{self, FileOption, GivenOption, ParsedLine};
use super::location::Location;
use super::{
    FileOptions, MISMATCH, NamedLock, Request, RequestedRequirement, RequirementHash,
    RequirementOrigin, ScriptPython, Surroundings, UNNAMED, decode, is_lock_name, logical_lines,
    parse_editable, parse_requirement, syntax,
};
use crate::bounded;
use crate::failure::Failure;

/// How deep files may include files.
const MAX_DEPTH: usize = 100;

/// The most requirements and constraints of all files together.
const REQUIREMENTS_LIMIT: usize = 50_000;

/// Gets the bytes behind an `http:` or `https:` address.
pub(crate) type Fetch<'a> = &'a dyn Fn(&Url) -> Result<Vec<u8>, Failure>;

/// A [`Fetch`] for where there is no network to ask.
///
/// # Errors
/// Always.
pub(crate) fn read_url_nothing(url: &Url) -> Result<Vec<u8>, Failure> {
    Err(Failure::new(format!(
        "Failed to read `{url}`: this command reads local files only"
    ))
    .hint("download the file and give its path"))
}

/// Reads requirements files into a [`Request`].
pub(crate) struct RequirementsReader<'a> {
    surroundings: Surroundings<'a>,
    fetch: Fetch<'a>,
    request: Request,
    /// The files that were read, and whether as constraints.
    seen: FxHashSet<(Location, bool)>,
    /// What a file of constraints is called where it can't be opened.
    constraint_kind: &'static str,
}

/// What is being read: shown name, place, and whether it constrains only.
struct Reading<'a> {
    shown: &'a str,
    location: &'a Location,
    is_constraint: bool,
}

/// The files that led to the one being read, each with the file that included it.
type Including = FxHashMap<Location, Option<String>>;

impl<'a> RequirementsReader<'a> {
    /// A reader that has read nothing yet.
    pub(crate) fn new(surroundings: Surroundings<'a>, fetch: Fetch<'a>) -> Self {
        Self {
            surroundings,
            fetch,
            request: Request::default(),
            seen: FxHashSet::default(),
            constraint_kind: "constraint",
        }
    }

    /// A reader for the constraints of builds, of whose files pip says that they are requirements.
    pub(crate) fn of_build_constraints(surroundings: Surroundings<'a>, fetch: Fetch<'a>) -> Self {
        Self {
            constraint_kind: "requirements",
            ..Self::new(surroundings, fetch)
        }
    }

    /// Everything that was read.
    pub(crate) fn into_request(self) -> Request {
        self.request
    }

    /// Adds a requirement from the command line. An empty one, as scripts make of a variable without
    /// a value, stands for nothing.
    ///
    /// # Errors
    /// When it isn't one.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), Failure> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let origin = RequirementOrigin::CommandLine;
        let given = parse_requirement(text, origin, Vec::new(), self.surroundings)?;
        // No index has a project of this name: the user forgot the option.
        if given.requirement.name.as_ref() == "requirements-txt" {
            return Err(Failure::new(format!(
                "Could not find a version that satisfies the requirement {text} (from versions: \
                 none)"
            ))
            .and(format!("No matching distribution found for {text}"))
            .remark(format!(
                "HINT: You are attempting to install a package literally named \"{text}\" (which cannot \
                 exist). Consider using the '-r' flag to install the packages listed in {text}"
            )));
        }
        self.push(given);
        Ok(())
    }

    /// Adds a project that is to be installed in place, from the command line.
    ///
    /// # Errors
    /// When there is none at the path.
    pub(crate) fn add_editable(&mut self, text: &str) -> Result<(), Failure> {
        let origin = RequirementOrigin::CommandLine;
        let given = parse_editable(text, origin, self.surroundings)?;
        self.push(given);
        Ok(())
    }

    /// Adds a requirement that stands in a project's or a script's own file, as if it had been
    /// typed.
    ///
    /// # Errors
    /// When it isn't one.
    pub(crate) fn add_written(&mut self, text: &str) -> Result<(), Failure> {
        let origin = RequirementOrigin::CommandLine;
        let given = parse_requirement(text, origin, Vec::new(), self.surroundings)?;
        self.push(RequestedRequirement {
            takes_settings: false,
            ..given
        });
        Ok(())
    }

    /// Notes the Python versions that a script is for.
    pub(crate) fn add_script(&mut self, script: ScriptPython) {
        self.request.scripts.push(script);
    }

    fn push(&mut self, given: RequestedRequirement) {
        if given.requirement.name.as_ref() == UNNAMED {
            self.request.unnamed.push(given);
        } else {
            self.request.requirements.push(given);
        }
    }

    /// Adds a lock file, of which nothing is read yet.
    pub(crate) fn add_lock(&mut self, lock: NamedLock) {
        lock.add_to(&mut self.request.locks);
    }

    /// Reads a requirements file (or, with `is_constraint`, a constraints file) and all that it
    /// includes. `name` is a path or an address. A lock file in its place is only taken note of.
    ///
    /// # Errors
    /// When one of them can't be read or understood, or includes itself.
    pub(crate) fn read(&mut self, name: &str, is_constraint: bool) -> Result<(), Failure> {
        if !is_constraint && let Some(lock) = NamedLock::of_file(name) {
            self.add_lock(lock);
            return Ok(());
        }
        let location = Location::of(name, self.surroundings.working_directory);
        let including = Including::from_iter([(location.clone(), None)]);
        let reading = Reading {
            shown: name,
            location: &location,
            is_constraint,
        };
        self.read_nested(&reading, &including)
    }

    fn read_nested(&mut self, reading: &Reading<'_>, including: &Including) -> Result<(), Failure> {
        // A second time it says nothing new, and files that include each other twice double.
        let role = (reading.location.clone(), reading.is_constraint);
        if !self.seen.insert(role) {
            return Ok(());
        }
        let file_name = reading.shown.rsplit(['/', '\\']).next().unwrap_or_default();
        if is_lock_name(file_name) {
            return Err(Failure::new(format!(
                "Failed to read `{}`: a lock file holds no requirements",
                reading.shown
            ))
            .hint("`bnbpip sync` and `bnbpip install -r` install one"));
        }
        let bytes = match reading.location {
            Location::Url(url) => (self.fetch)(url)?,
            Location::File(path) => bounded::read(path, bounded::TEXT_BYTES)
                .map_err(|error| self.unopened(reading, &error))?,
        };
        let (text, warning) = decode::decode(&bytes, reading.shown)?;
        self.request.warnings.extend(warning);
        for logical in logical_lines(&text, self.surroundings.variable) {
            let parsed = line::parse(&logical.text).map_err(|reason| {
                line::unreadable(&logical.text, &reason, logical.number, reading.shown)
            })?;
            self.take_line(&parsed, reading, logical.number, including)?;
        }
        Ok(())
    }

    fn unopened(&self, reading: &Reading<'_>, error: &io::Error) -> Failure {
        let kind = if reading.is_constraint {
            self.constraint_kind
        } else {
            "requirements"
        };
        if error.kind() == ErrorKind::NotFound && reading.shown.starts_with("file:") {
            return Failure::new(format!(
                "404 Client Error: FileNotFoundError for url: {}",
                reading.shown
            ));
        }
        let reason = match error.kind() {
            ErrorKind::NotFound => "[Errno 2] No such file or directory".to_owned(),
            ErrorKind::PermissionDenied => "[Errno 13] Permission denied".to_owned(),
            ErrorKind::IsADirectory => "[Errno 21] Is a directory".to_owned(),
            _ => return Failure::new(format!("Could not open {kind} file: {error}")),
        };
        Failure::new(format!(
            "Could not open {kind} file: {reason}: '{}'",
            reading.shown
        ))
    }

    fn take_line(
        &mut self,
        parsed: &ParsedLine,
        reading: &Reading<'_>,
        number: usize,
        including: &Including,
    ) -> Result<(), Failure> {
        let place = syntax::from(&origin(reading, number));
        for given in &parsed.options {
            refuse_unsupported(given, reading, &place)?;
        }
        if !parsed.requirement.is_empty() {
            return self.take_requirement(parsed, reading, number);
        }
        let nested = [FileOption::Requirement, FileOption::Constraint]
            .into_iter()
            .find_map(|kind| parsed.options.iter().find(|given| given.option == kind));
        if let Some(nested) = nested {
            return self.include(nested, reading, including);
        }
        let is_editable = |given: &GivenOption| given.option == FileOption::Editable;
        let of_editable = parsed.options.iter().any(is_editable);
        for given in &parsed.options {
            if is_editable(given) {
                let origin = origin(reading, number);
                let mut given = parse_editable(&given.value, origin, self.surroundings)?;
                given.config_settings = settings_of(parsed);
                self.push(given);
            } else if !(of_editable && given.option == FileOption::ConfigSettings) {
                self.take_option(given, reading, &place);
            }
        }
        Ok(())
    }

    fn take_requirement(
        &mut self,
        parsed: &ParsedLine,
        reading: &Reading<'_>,
        number: usize,
    ) -> Result<(), Failure> {
        let origin = origin(reading, number);
        let place = syntax::from(&origin);
        let mut hashes = Vec::new();
        for given in &parsed.options {
            if given.option == FileOption::Hash {
                let hash = RequirementHash::parse(&given.value).map_err(|reason| {
                    let shown = reading.shown;
                    let failure = line::unreadable(&parsed.requirement, &reason, number, shown);
                    if RequirementHash::fits_no_file(&given.value) {
                        // What pip says in the end, once it has the file.
                        failure.and(MISMATCH)
                    } else {
                        failure
                    }
                })?;
                hashes.push(hash);
            } else if given.option != FileOption::ConfigSettings {
                let name = &given.name;
                self.request.warnings.push(format!(
                    "The option {name} behind a requirement{place} is ignored: it needs a line of \
                     its own"
                ));
            }
        }
        let held = self.request.requirements.len() + self.request.constraints.len();
        if held >= REQUIREMENTS_LIMIT {
            return Err(Failure::new(format!(
                "Failed to read `{}`: there are more than {REQUIREMENTS_LIMIT} requirements",
                reading.shown
            )));
        }
        let mut given = parse_requirement(&parsed.requirement, origin, hashes, self.surroundings)?;
        given.config_settings = settings_of(parsed);
        if reading.is_constraint {
            self.request.constraints.push(given);
        } else {
            self.push(given);
        }
        Ok(())
    }

    fn include(
        &mut self,
        nested: &GivenOption,
        reading: &Reading<'_>,
        including: &Including,
    ) -> Result<(), Failure> {
        let (shown, location) = reading.location.beside(&nested.value)?;
        if let Some(first) = including.get(&location) {
            let again = first
                .as_ref()
                .map_or_else(String::new, |first| format!(" and again in {first}"));
            return Err(Failure::new(format!(
                "{shown} recursively references itself in {}{again}",
                reading.shown
            )));
        }
        if including.len() >= MAX_DEPTH {
            return Err(Failure::new(format!(
                "Failed to read `{shown}`: files include files more than {MAX_DEPTH} deep"
            )));
        }
        let mut including = including.clone();
        including.insert(location.clone(), Some(reading.shown.to_owned()));
        let nested = Reading {
            shown: &shown,
            location: &location,
            is_constraint: nested.option == FileOption::Constraint,
        };
        self.read_nested(&nested, &including)
    }

    fn take_option(&mut self, given: &GivenOption, reading: &Reading<'_>, place: &str) {
        let value = given.value.clone();
        let options: &mut FileOptions = &mut self.request.options;
        match given.option {
            FileOption::IndexUrl => options.index_url = Some(value),
            FileOption::ExtraIndexUrl => options.extra_index_urls.push(value),
            FileOption::NoIndex => options.no_index = true,
            FileOption::FindLinks => {
                options.find_links.push(reading.location.find_links(value));
            }
            FileOption::NoBinary => options.formats.push(FormatOption::NoBinary(value)),
            FileOption::OnlyBinary => options.formats.push(FormatOption::OnlyBinary(value)),
            FileOption::PreferBinary => options.prefer_binary = true,
            FileOption::RequireHashes => options.require_hashes = Some(true),
            FileOption::NoRequireHashes => options.require_hashes = Some(false),
            FileOption::Pre => options.pre = true,
            FileOption::TrustedHost => options.trusted_hosts.push(value),
            FileOption::AllReleases => options.releases.push(ReleaseOption::AllReleases(value)),
            FileOption::OnlyFinal => options.releases.push(ReleaseOption::OnlyFinal(value)),
            FileOption::Hash | FileOption::ConfigSettings => self.request.warnings.push(format!(
                "A {} without a requirement is ignored{place}",
                given.name
            )),
            // Taken before this is called.
            FileOption::Requirement
            | FileOption::Constraint
            | FileOption::Editable
            | FileOption::UseFeature => {}
        }
    }
}

impl std::fmt::Debug for RequirementsReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequirementsReader")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

fn origin(reading: &Reading<'_>, line: usize) -> RequirementOrigin {
    let path = reading.shown.to_owned();
    if reading.is_constraint {
        RequirementOrigin::Constraint { path, line }
    } else {
        RequirementOrigin::File { path, line }
    }
}

/// The `--config-settings` of a line.
fn settings_of(parsed: &ParsedLine) -> Vec<String> {
    let options = parsed.options.iter();
    let settings = options.filter(|given| given.option == FileOption::ConfigSettings);
    settings.map(|given| given.value.clone()).collect()
}

fn refuse_unsupported(
    given: &GivenOption,
    reading: &Reading<'_>,
    place: &str,
) -> Result<(), Failure> {
    match given.option {
        FileOption::Editable if reading.is_constraint => Err(Failure::new(format!(
            "Editable requirements are not allowed as constraints{place}"
        ))),
        _ => Ok(()),
    }
}
