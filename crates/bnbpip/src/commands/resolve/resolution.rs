//! Resolving: the client, the solver's thread, and the words for a failure.

use std::sync::Arc;

use bnbpip_index::{IndexClient, PackageFile};
use bnbpip_overlay::{ActiveRules, Overlay};
use bnbpip_packaging::{PackageName, TagCompatibility, VersionRange, WheelFilename};
use bnbpip_platform::Target;
use bnbpip_resolver::{
    Constraint, InstalledPackage, PreferredVersions, PrereleasePolicy, Resolution, ResolveError,
    SolveRequest, Source,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Selection;
use super::community::Community;
use super::connection::{Connection, Connections};
use super::machine::Machine;
use super::provider::IndexProvider;
use super::{elsewhere, hash_mode, network, requirements};
use crate::cli::resolve::ResolveArgs;
use crate::cli::values::UpgradeStrategy;
use crate::commands::sources::{Access, Sources};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::Request;

/// A resolution and all that it was made from.
pub(crate) struct Resolved {
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    pub(crate) client: IndexClient,
    pub(crate) resolution: Resolution<Arc<PackageFile>>,
    /// The rules that were in force.
    pub(crate) overlay: Overlay,
    /// The community wheels that could be taken, if they were allowed.
    pub(crate) community: Option<Arc<Community>>,
}

impl Resolved {
    /// How sources are reached.
    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            client: &self.client,
            runtime: self.runtime.handle(),
        }
    }
}

/// What installed packages mean for the choice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InstalledPolicy {
    /// They mean nothing.
    pub(crate) ignored: bool,
    /// The requested ones are upgraded, and their dependencies by this strategy.
    pub(crate) upgrade: Option<UpgradeStrategy>,
}

/// The command that resolves, for the commands that are suggested.
#[derive(Debug, Clone)]
pub(crate) struct CommandWords {
    /// Its name, such as `install`.
    pub(crate) name: &'static str,
    /// The options that have to be said again, each after a space.
    pub(crate) options: String,
}

/// A resolution to be made.
#[derive(Clone)]
pub(crate) struct Resolving<'a> {
    pub(crate) options: &'a ResolveArgs,
    pub(crate) policy: InstalledPolicy,
    pub(crate) command: CommandWords,
    pub(crate) settings: &'a Settings,
    pub(crate) printer: &'static Printer,
    pub(crate) request: &'a Request,
    pub(crate) target: &'a Target,
    pub(crate) overlay: Overlay,
    pub(crate) rules: Arc<ActiveRules>,
    pub(crate) constraints: Vec<Constraint>,
    /// Versions that are tried first.
    pub(crate) preferred: PreferredVersions,
    /// What builds source distributions; without it none is a candidate.
    pub(crate) sources: Option<Sources>,
    /// The machine that the packages are for.
    pub(crate) machine: Machine,
    /// How indexes are reached.
    pub(crate) connections: Connections,
    /// The packages that come from one file alone.
    pub(crate) locked: LockedFiles,
}

/// The files that locks have, by package.
pub(crate) type LockedFiles = FxHashMap<PackageName, Arc<PackageFile>>;

/// What is installed, as the solver takes it.
pub(crate) type Installed = FxHashMap<PackageName, InstalledPackage>;
type Solved = Result<Resolution<Arc<PackageFile>>, ResolveError>;

impl Resolving<'_> {
    /// Resolves the request with the indexes that it names.
    ///
    /// # Errors
    /// When there is no solution, or an index can't be asked.
    pub(super) fn run_once(self, installed: Installed) -> Result<Resolved, Failure> {
        requirements::refuse_locks(self.request)?;
        requirements::check_scripts(self.request, &self.target.python_full_version)?;
        requirements::check_url_constraints(self.request, &self.target.markers)?;
        let required = hash_mode::required_hashes(self.request);
        let hash_mode = hash_mode::is_hash_mode(self.options, self.request);
        if hash_mode {
            hash_mode::check_hash_mode(self.options, self.request, &required)?;
        }
        if let Some(given) = self.request.unnamed.first() {
            return Err(Failure::new(format!(
                "Failed to use `{}`: the name of its project isn't known",
                given.raw
            ))
            .hint("write `name @ address`"));
        }
        let places = &self.request.options;
        let connection = self.connections.to(self.options, places, self.settings)?;
        let Connection { runtime, client } = connection.clone();
        let selection = Arc::new(self.selection(required));
        let handle = runtime.handle().clone();
        let community = Community::find(
            self.options,
            self.request,
            self.settings,
            self.target,
            &installed,
        )?;
        let provider = IndexProvider::new(
            client.clone(),
            selection,
            community.clone(),
            handle,
            self.sources.clone(),
            self.machine.clone(),
            self.locked.clone(),
        );
        let mut request = self.solve_request(installed);
        let solved = solve(&provider, &mut request);
        if let Some(community) = &community {
            community.say_unreachable(self.printer);
        }
        let resolution = match solved {
            Ok(resolution) => resolution,
            Err(error) => {
                network::say_notes(&client, self.printer);
                return Err(self.failure(error, &provider, &connection, &mut request));
            }
        };
        network::say_notes(&client, self.printer);
        for note in provider.passed_over() {
            self.printer.warning(&note);
        }
        elsewhere::say(&resolution, &provider, &client, &runtime, self.printer);
        if hash_mode {
            self.check_hashed(&resolution)?;
        }
        self.say_source_only(&resolution, &provider);
        self.say_community_wheels(&resolution)?;
        Ok(Resolved {
            runtime,
            client,
            resolution,
            overlay: self.overlay.clone(),
            community,
        })
    }

    fn selection(&self, hashes: hash_mode::RequiredHashes) -> Selection {
        let index = &self.options.index;
        Selection {
            tags: self.target.tags.clone(),
            python_tag: self.python_tag(),
            python_version: self.target.python_full_version.clone(),
            ignore_requires_python: self.options.ignore_requires_python,
            cutoff_ms: index.cutoff().map(|cutoff| cutoff.0.as_millisecond()),
            hashes,
            formats: self.request.options.format_control(&index.format_control),
            rules: Arc::clone(&self.rules),
            sources: self.sources.is_some(),
            prefer_binary: index.prefer_binary || self.request.options.prefer_binary,
        }
    }

    /// The addresses that constraints pin packages to. One of a wheel for another platform leaves
    /// nothing of its package.
    fn url_constraints(&self) -> (FxHashMap<PackageName, String>, Vec<Constraint>) {
        let mut addresses = requirements::url_constraints(self.request, &self.target.markers);
        let mut unusable = Vec::new();
        addresses.retain(|name, address| {
            let fits = self.is_for_target(address);
            if !fits {
                unusable.push(Constraint {
                    name: name.clone(),
                    range: VersionRange::empty(),
                    text: format!("{name} @ {address}"),
                    origin: None,
                });
            }
            fits
        });
        (addresses, unusable)
    }

    fn is_for_target(&self, address: &str) -> bool {
        let path = address.split(['#', '?']).next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
        let Ok(wheel) = file.parse::<WheelFilename>() else {
            return true;
        };
        let fits = self.target.tags.compatibility(&wheel);
        !matches!(fits, TagCompatibility::Incompatible(_))
    }

    fn solve_request(&self, installed: Installed) -> SolveRequest {
        let (options, policy) = (self.options, self.policy);
        let upgrade: FxHashSet<PackageName> = if policy.upgrade.is_some() {
            let names = self
                .request
                .requirements
                .iter()
                .map(|given| &given.requirement.name);
            names.cloned().collect()
        } else {
            FxHashSet::default()
        };
        let pre = options.index.pre || self.request.options.pre;
        let releases = self
            .request
            .options
            .release_control(&options.index.release_control);
        let (url_constraints, unusable) = self.url_constraints();
        let constraints = self.constraints.iter().cloned().chain(unusable);
        SolveRequest {
            requested: requirements::requested(self.request),
            constraints: constraints.collect(),
            markers: self.target.markers.clone(),
            python_version: self.target.python_full_version.clone(),
            installed: if policy.ignored {
                FxHashMap::default()
            } else {
                installed
            },
            upgrade,
            eager: policy.upgrade == Some(UpgradeStrategy::Eager),
            no_dependencies: options.no_deps,
            ignore_requires_python: options.ignore_requires_python,
            prereleases: if pre {
                PrereleasePolicy::Allow
            } else {
                releases.of_all()
            },
            prereleases_of: releases.of_named(),
            url_constraints,
            overlay: self.overlay.clone(),
            preferred: self.preferred.clone(),
        }
    }

    /// In hash mode a dependency that nobody gave a hash for is refused.
    fn check_hashed(&self, resolution: &Resolution<Arc<PackageFile>>) -> Result<(), Failure> {
        let required = hash_mode::required_hashes(self.request);
        // The digest in an address that a package names is that package's word, not the user's.
        let addresses: Vec<String> = resolution
            .packages
            .iter()
            .filter_map(|package| match &package.source {
                Source::Direct { url, .. }
                    if !package.requested && !required.contains_key(&package.name) =>
                {
                    Some(format!("\n    {} @ {url}", package.name))
                }
                _ => None,
            })
            .collect();
        if !addresses.is_empty() {
            return Err(Failure::new(format!(
                "Hashes are required in --require-hashes mode, but they are missing from some \
                 requirements that others name by address:{}",
                addresses.concat()
            ))
            .hint("add them to the requirements file, each with its address and `--hash`"));
        }
        let unhashed: Vec<String> = resolution
            .packages
            .iter()
            .filter(|package| match &package.source {
                Source::Index(_) => !required.contains_key(&package.name),
                Source::Direct { .. } | Source::Installed => false,
            })
            .map(|package| match &package.source {
                Source::Index(file) => {
                    let hash = file.hashes.sha256();
                    let hash = hash.map(|hex| format!(" --hash=sha256:{hex}"));
                    let hash = hash.unwrap_or_default();
                    format!("\n    {}=={}{hash}", package.name, package.version)
                }
                _ => String::new(),
            })
            .collect();
        if unhashed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "In --require-hashes mode, all requirements must have their versions pinned with ==. \
             These do not:{}",
            unhashed.concat()
        ))
        .hint("add these lines to the requirements file, if the hashes are the ones you trust"))
    }

    /// Says where a newer version could not be taken because it has no wheel.
    fn say_source_only(&self, resolution: &Resolution<Arc<PackageFile>>, provider: &IndexProvider) {
        for package in &resolution.packages {
            if matches!(package.source, Source::Index(_))
                && let Some(newer) = provider.source_only_above(&package.name, &package.version)
            {
                self.printer.status(&format!(
                    "{} {newer} has no wheel, only a source distribution: {} is taken",
                    package.name, package.version
                ));
            }
        }
    }

    /// `cp311`
    pub(super) fn python_tag(&self) -> String {
        let (major, minor) = self.target.python_version;
        format!("cp{major}{minor}")
    }
}

/// Runs the solver on a thread of its own: it blocks where it has to wait, and the runtime's
/// threads never do. Its stack is large, for deep proofs.
fn solve(provider: &IndexProvider, request: &mut SolveRequest) -> Solved {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new()
            .name("solver".into())
            .stack_size(16 << 20);
        let thread = builder.spawn_scoped(scope, || bnbpip_resolver::resolve(provider, request));
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(solved)) => solved,
            Ok(Err(_)) => Err(provider_failure("the solver's thread ended early")),
            Err(error) => Err(provider_failure(error)),
        }
    })
}

fn provider_failure(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ResolveError {
    ResolveError::Provider(bnbpip_resolver::ProviderError(cause.into()))
}
