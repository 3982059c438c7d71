//! `import` and `from … import`: which module is entered, and what a missing one does.

use crate::evaluate::Value;
use crate::findings::{Finding, Missing};
use crate::installed::{Located, ends, is_standard};
use crate::interpreter::{Entered, Failure, Flow, Frame, Interpreter};
use crate::module::FromNames;
use crate::names::HasName;

/// The deepest nesting of modules and calls.
const DEPTH_LIMIT: u32 = 300;

impl Interpreter<'_> {
    /// `import dotted`.
    pub(crate) fn import(
        &mut self,
        dotted: &str,
        line: u32,
        frame: &mut Frame,
    ) -> Result<Flow, Failure> {
        let mut flow = Flow::Next;
        for end in ends(dotted) {
            let module = &dotted[..end];
            match self.installed.locate(module) {
                Located::Own(path) => {
                    if matches!(self.enter(module, &path)?, Flow::Maybe) {
                        flow = Flow::Maybe;
                    }
                }
                Located::There => {}
                Located::Unknown | Located::Wants(..) => return Ok(Flow::Next),
                Located::External => {
                    let may_lack = self.catching > 0 && !is_standard(dotted);
                    return Ok(if may_lack { Flow::Maybe } else { Flow::Next });
                }
                Located::Lacks(wheel) => {
                    let missing = Missing::Module(module.to_owned());
                    return self.missing(wheel, missing, line, frame);
                }
            }
        }
        Ok(flow)
    }

    fn missing(
        &mut self,
        wheel: usize,
        missing: Missing,
        line: u32,
        frame: &Frame,
    ) -> Result<Flow, Failure> {
        let finding = Finding {
            package: self.installed.wheel(wheel).name().clone(),
            missing,
            path: self.installed.scanned().archive_path(&frame.path),
            line,
            conditional: self.uncertain > 0,
            via: self.chain.clone(),
        };
        self.fail(Failure::Missing(Box::new(finding)))
    }

    /// `from source import names`.
    pub(crate) fn import_from(
        &mut self,
        source: &str,
        names: &FromNames,
        line: u32,
        frame: &mut Frame,
    ) -> Result<Flow, Failure> {
        let mut flow = self.import(source, line, frame)?;
        let listed = match names {
            FromNames::Star => {
                let copied = self
                    .modules
                    .get(source)
                    .map(|entered| entered.names.clone());
                for (name, value) in copied.unwrap_or_default() {
                    self.bind(&name, value, frame);
                }
                return Ok(flow);
            }
            FromNames::Listed(listed) => listed,
        };
        for (name, alias) in listed {
            let bound = alias.as_deref().unwrap_or(name);
            let known = self
                .modules
                .get(source)
                .and_then(|entered| entered.names.get(name));
            if let Some(value) = known.cloned() {
                self.bind(bound, value, frame);
                continue;
            }
            let submodule = format!("{source}.{name}");
            match self.installed.locate(&submodule) {
                Located::Own(path) => {
                    if matches!(self.enter(&submodule, &path)?, Flow::Maybe) {
                        flow = Flow::Maybe;
                    }
                    self.bind(bound, Value::Module(submodule), frame);
                }
                Located::There => self.bind(bound, Value::Module(submodule), frame),
                Located::Lacks(wheel) => {
                    let is_unlikely = match self.installed.has_name(wheel, source, name) {
                        HasName::No => Some(false),
                        HasName::Unlikely => Some(true),
                        _ => None,
                    };
                    if let Some(is_unlikely) = is_unlikely {
                        let missing = Missing::Name {
                            module: source.to_owned(),
                            name: name.clone(),
                        };
                        let doubt = u32::from(is_unlikely);
                        self.uncertain += doubt;
                        let ended = self.missing(wheel, missing, line, frame);
                        self.uncertain -= doubt;
                        if matches!(ended?, Flow::Maybe) {
                            flow = Flow::Maybe;
                        }
                    }
                    self.bind(bound, Value::Unknown, frame);
                }
                Located::External | Located::Unknown | Located::Wants(..) => {
                    self.bind(bound, Value::Unknown, frame);
                }
            }
        }
        Ok(flow)
    }

    /// Runs a module of the scanned package, unless that has been done.
    fn enter(&mut self, module: &str, path: &str) -> Result<Flow, Failure> {
        if let Some(entered) = self.modules.get(module)
            && (entered.certain || self.uncertain > 0 || self.chain.iter().any(|one| one == module))
        {
            return Ok(Flow::Next);
        }
        let parsed = match self.installed.scanned().module(path) {
            None => {
                self.installed.want(0, path);
                return Ok(Flow::Next);
            }
            Some(None) => return Ok(Flow::Next),
            Some(Some(parsed)) => parsed,
        };
        if self.depth >= DEPTH_LIMIT {
            return Ok(Flow::Next);
        }
        let entered = Entered {
            certain: self.uncertain == 0,
            ..Entered::default()
        };
        self.modules.insert(module.to_owned(), entered);
        self.chain.push(module.to_owned());
        self.depth += 1;
        let mut frame = Frame {
            module: module.to_owned(),
            is_package: path.ends_with("/__init__.py"),
            path: path.to_owned(),
            locals: None,
        };
        let ended = self.run(&parsed.steps, &mut frame);
        self.depth -= 1;
        self.chain.pop();
        match ended {
            Ok(Flow::Maybe) if self.catching > 0 => Ok(Flow::Maybe),
            Ok(_) => Ok(Flow::Next),
            Err(failure) => {
                // Python forgets a module whose import failed.
                self.modules.remove(module);
                Err(failure)
            }
        }
    }
}
