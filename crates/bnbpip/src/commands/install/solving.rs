//! The middle of an installation: from the request to a resolution.

use std::sync::Arc;

use bnbpip_installer::InstalledEnvironment;

use bnbpip_resolver::PreferredVersions;

use super::Run;
use crate::commands::resolve::accelerator::Accelerator;
use crate::commands::resolve::machine::Machine;
use crate::commands::resolve::{
    CommandWords, Connections, InstalledPolicy, Resolved, Resolving, installed, requirements,
};
use crate::commands::rule_set;
use crate::failure::Failure;

impl Run<'_> {
    /// Chooses the accelerator anew, as if no torch were installed.
    pub(super) fn leave_installed_torch(&mut self) -> Result<(), Failure> {
        let Some(accelerator) = &self.accelerator else {
            return Ok(());
        };
        self.printer
            .status("What is asked for has no solution with the installed torch's builds");
        accelerator.take_back(&mut self.request);
        self.accelerator = Accelerator::choose(
            &self.arguments.resolve,
            &mut self.request,
            &self.destination.target,
            || Ok(InstalledEnvironment::default()),
            self.settings,
            self.printer,
        )?;
        Ok(())
    }

    /// The resolution; `None` if the environment meets the request, which has then been said.
    pub(super) fn resolve(
        &self,
        installed: &InstalledEnvironment,
    ) -> Result<Option<Resolved>, Failure> {
        let overlay = rule_set::overlay(
            &self.arguments.resolve.overlay.overlay,
            &self.arguments.resolve.allow,
            self.settings,
        )?;
        let target = &self.destination.target;
        requirements::check_scripts(&self.request, &target.python_full_version)?;
        let rules = Arc::new(overlay.active(&target.markers));
        let constraints = requirements::constraints(&self.request, &rules.environment().clone());
        let fitting = match &self.accelerator {
            Some(accelerator) => &accelerator.fitting(installed),
            None => installed,
        };
        let machine = Machine::of(&self.destination.target, self.settings, self.printer);
        if self.finish_if_satisfied(fitting, &constraints, &rules, &machine) {
            return Ok(None);
        }
        let resolving = Resolving {
            options: &self.arguments.resolve,
            policy: self.policy(),
            command: CommandWords {
                name: "install",
                options: self.target_options(),
            },
            settings: self.settings,
            printer: self.printer,
            request: &self.request,
            target: &self.destination.target,
            overlay,
            rules,
            constraints,
            sources: self.sources.clone(),
            machine,
            connections: Connections::default(),
            locked: self.locked.clone(),
            preferred: match &self.accelerator {
                Some(accelerator) if !self.arguments.upgrade => accelerator.preferred(installed),
                _ => PreferredVersions::default(),
            },
        };
        resolving.run(installed::for_solver(fitting)).map(Some)
    }

    fn policy(&self) -> InstalledPolicy {
        let arguments = self.arguments;
        InstalledPolicy {
            ignored: arguments.ignore_installed || arguments.force_reinstall,
            upgrade: arguments.upgrade.then_some(arguments.upgrade_strategy),
        }
    }

    /// The options that describe the target, so that a printed command means the same.
    fn target_options(&self) -> String {
        let mut options = String::new();
        if let Some(platform) = &self.arguments.target_python.python_platform {
            options.push_str(" --python-platform ");
            options.push_str(platform);
        }
        if let Some(version) = &self.arguments.target_python.python_version {
            options.push_str(" --python-version ");
            options.push_str(&version.to_string());
        }
        if let Some(accelerator) = &self.accelerator {
            options.push_str(" --accelerator ");
            options.push_str(&accelerator.family);
        }
        for layer in &self.arguments.resolve.overlay.overlay {
            options.push_str(" --overlay ");
            options.push_str(layer);
        }
        for profile in &self.arguments.resolve.profiles {
            options.push_str(" --profile ");
            options.push_str(profile);
        }
        if self.arguments.dry_run {
            options.push_str(" --dry-run");
        }
        options
    }
}
