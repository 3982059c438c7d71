//! `bnbpip inspect`: pip's inspection report, version 1
//! ([reference](https://pip.pypa.io/en/stable/reference/inspect-report/)).

use bnbpip_installer::DistributionKind;
use bnbpip_packaging::Headers;
use bnbpip_report::install_report;
use serde_json::{Map, Value, json};

use super::distribution::Distribution;
use super::selection;
use crate::cli::InspectArgs;
use crate::cli::environment::SelectionArgs;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Prints everything about what is installed.
///
/// # Errors
/// When there is no environment or it can't be read.
pub(crate) fn run(
    arguments: &InspectArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let selected = selection::select(
        &SelectionArgs {
            local: arguments.local,
            user: arguments.user,
            path: arguments.path.clone(),
            ..SelectionArgs::default()
        },
        settings,
        printer,
    )?;
    let installed: Vec<Value> = selected.distributions.iter().map(inspected).collect();
    let report = json!({
        "version": "1",
        "pip_version": env!("CARGO_PKG_VERSION"),
        "installed": installed,
        "environment": install_report::environment(&selected.interpreter.markers),
    });
    printer.data(&serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn inspected(distribution: &Distribution) -> Value {
    let installed = &distribution.installed;
    // Here the description counts as well.
    let text = installed.metadata_document().unwrap_or_default();
    let headers = Headers::parse(&String::from_utf8_lossy(&text));
    let mut object = Map::new();
    object.insert("metadata".into(), install_report::metadata(&headers));
    let place = installed.dist_info.display().to_string();
    object.insert("metadata_location".into(), place.into());
    if let Ok(Some(url)) = installed.direct_url() {
        let url = serde_json::to_value(&url).unwrap_or_default();
        object.insert("direct_url".into(), url);
    } else if let Some(project) = distribution.editable_location()
        && let Ok(url) = url::Url::from_file_path(project)
    {
        let url = json!({"url": url.as_str(), "dir_info": {"editable": true}});
        object.insert("direct_url".into(), url);
    }
    if let Some(installer) = installed.installer() {
        object.insert("installer".into(), installer.into());
    }
    if installed.kind == DistributionKind::DistInfo {
        object.insert("requested".into(), installed.requested().into());
    }
    Value::Object(object)
}
