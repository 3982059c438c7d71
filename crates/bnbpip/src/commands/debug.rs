//! `bnbpip debug`: what goes into a bug report, and the tags of the wheels that fit.

use std::path::Path;

use bnbpip_platform::{Accelerators, Interpreter, ThisMachine};
use bnbpip_report::rules::RuleSetIdentity;

use super::{rule_set, target_environment};
use crate::cli::DebugArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// How many tags are shown without `-v`.
const TAG_LIMIT: usize = 10;

/// Shows the program, the interpreter, the settings and the tags.
///
/// # Errors
/// When there is no interpreter, or the target can't be understood.
pub(crate) fn run(
    arguments: &DebugArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    printer.warning(
        "This command is only meant for debugging. Its output may change without notice: don't \
         read it with programs.",
    );
    let interpreter = target_environment::find_to_read(settings)?;
    let request = arguments.target_python.request()?;
    let target = request.target(Some(&interpreter))?;
    let path = |path: Option<&Path>| path.map_or("None".into(), |it| it.display().to_string());
    let network = &settings.network;
    let overlay = rule_set::overlay(&[], &[], settings)?;
    let variable = |name: &str| settings.environment.get(name).unwrap_or("None").to_owned();
    let lines = [
        ("bnbpip version", env!("CARGO_PKG_VERSION").to_owned()),
        (
            "sys.version",
            format!(
                "{} ({})",
                interpreter.version(),
                interpreter.implementation()
            ),
        ),
        ("sys.executable", path(Some(&interpreter.sys_executable))),
        ("sys.prefix", path(Some(&interpreter.prefix))),
        ("sys.base_prefix", path(Some(&interpreter.base_prefix))),
        (
            "sys.platform",
            interpreter.markers.sys_platform().to_owned(),
        ),
        ("sys.implementation", String::new()),
        (
            "  name",
            interpreter.markers.implementation_name().to_owned(),
        ),
        (
            "sysconfig.get_platform()",
            interpreter.sysconfig_platform.clone(),
        ),
        ("'cert' config value", path(network.cert.as_deref())),
        ("REQUESTS_CA_BUNDLE", variable("REQUESTS_CA_BUNDLE")),
        ("CURL_CA_BUNDLE", variable("CURL_CA_BUNDLE")),
        ("Cache", path(settings.cache_dir.as_deref())),
        ("Project file", path(settings.project.path.as_deref())),
        ("Target", target.description.clone()),
    ];
    for (name, value) in lines.into_iter().chain(encodings(&interpreter)) {
        printer.info(format!("{name}: {value}").trim_end());
    }
    say_libraries(printer);
    say_accelerators(settings, printer);
    printer.info(&RuleSetIdentity::of(&overlay)?.to_string());
    let tags: Vec<String> = target
        .tags
        .iter()
        .map(|(python, abi, platform)| format!("{python}-{abi}-{platform}"))
        .collect();
    let given = given(arguments);
    let given = if given.is_empty() {
        given
    } else {
        format!(" (target: {given})")
    };
    printer.info(&format!("Compatible tags: {}{given}", tags.len()));
    let is_limited = printer.verbosity() < 1 && tags.len() > TAG_LIMIT;
    let shown = if is_limited { TAG_LIMIT } else { tags.len() };
    for tag in tags.iter().take(shown) {
        printer.info(&format!("  {tag}"));
    }
    if is_limited {
        printer.info(&format!(
            "  ...\n  [First {TAG_LIMIT} tags shown. Pass --verbose to show all.]"
        ));
    }
    Ok(())
}

/// The libraries in the program that deal with servers, packages and files from elsewhere.
const LIBRARIES: [&str; 18] = [
    "astral-pubgrub",
    "flate2",
    "h2",
    "html5gum",
    "hyper",
    "pep440_rs",
    "pep508_rs",
    "reqwest",
    "ring",
    "rustls",
    "rustls-native-certs",
    "serde_json",
    "tar",
    "tokio",
    "toml",
    "url",
    "webpki-root-certs",
    "zip",
];

/// What is built into the program, under pip's headings: no certificates and no libraries stand
/// beside it.
fn say_libraries(printer: &Printer) {
    printer.info("pip._vendor.certifi.where(): None");
    printer.info("pip._vendor.DEBUNDLED: False");
    printer.info("vendored library versions:");
    for (name, version) in locked(LOCK).filter(|(name, _)| LIBRARIES.contains(name)) {
        printer.info(&format!("  {name}=={version}"));
    }
}

/// What the program was built from.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));

/// The names and versions of a `Cargo.lock`.
fn locked(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            let mut lines = package.lines();
            lines.find_map(|line| Some(line.strip_prefix(key)?.trim_matches('"')))
        };
        Some((value("name = ")?, value("version = ")?))
    })
}

/// The encodings that the interpreter takes texts to be in.
fn encodings(interpreter: &Interpreter) -> Vec<(&'static str, String)> {
    const NAMES: [&str; 3] = [
        "sys.getdefaultencoding",
        "sys.getfilesystemencoding",
        "locale.getencoding",
    ];
    const ASK: &str = "import locale, sys; print(sys.getdefaultencoding()); \
                       print(sys.getfilesystemencoding()); \
                       print(getattr(locale, 'getencoding', locale.getpreferredencoding)())";
    let asked = std::process::Command::new(&interpreter.sys_executable)
        .args(["-I", "-c", ASK])
        .output();
    let said = asked.map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    NAMES
        .into_iter()
        .zip(said.lines().map(str::to_owned))
        .collect()
}

/// What this machine's accelerators are, and how that is known.
fn say_accelerators(settings: &Settings, printer: &Printer) {
    let found = Accelerators::detect(&ThisMachine, &settings.accelerator_inputs());
    let description = found.description().unwrap_or_else(|| "None".to_owned());
    printer.info(&format!("Accelerators: {description}"));
    for attempt in &found.trace {
        printer.info(&format!("  {attempt}"));
    }
}

/// The options about the target, in pip's words.
fn given(arguments: &DebugArgs) -> String {
    let target = &arguments.target_python;
    let list = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut parts = Vec::new();
    if let Some(platform) = &target.python_platform {
        parts.push(format!("python_platform='{platform}'"));
    }
    if !target.platform.is_empty() {
        parts.push(format!("platforms={}", list(&target.platform)));
    }
    if let Some(version) = &target.python_version {
        parts.push(format!("version_info='{version}'"));
    }
    if !target.abi.is_empty() {
        parts.push(format!("abis={}", list(&target.abi)));
    }
    if let Some(implementation) = &target.implementation {
        parts.push(format!("implementation='{implementation}'"));
    }
    parts.join(" ")
}
