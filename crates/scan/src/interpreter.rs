//! Running a package's import in the abstract.
//!
//! Statements run in Python's order, modules of the scanned package are entered as `import`
//! enters them, and a failed import travels like an exception up to the `except` that catches it.
//! Where a condition can't be decided both sides run, and what fails there is conditional.

use rustc_hash::FxHashMap;

use crate::evaluate::Value;
use crate::findings::{Facts, Finding, Missing};
use crate::installed::Installed;
use crate::module::{Catches, Handler, Step};
use crate::parse::absolute;
use crate::wheel::WheelFiles;

/// The most steps of one scan: enough for the largest packages, and an end for odd ones.
const STEP_LIMIT: u64 = 5_000_000;

/// How a run of statements ended.
#[derive(Debug)]
pub(crate) enum Flow {
    Next,
    /// It may have ended early: what follows may not run.
    Maybe,
    Return(Value),
}

/// Why a module's import ends.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    Missing(Box<Finding>),
    /// A `raise` of its own.
    Raised,
}

/// Where a statement runs.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) module: String,
    pub(crate) is_package: bool,
    pub(crate) path: String,
    /// A function's own names.
    pub(crate) locals: Option<FxHashMap<String, Value>>,
}

impl Frame {
    fn of_module(module: &str) -> Self {
        Self {
            module: module.to_owned(),
            is_package: false,
            path: String::new(),
            locals: None,
        }
    }
}

/// A module of the scanned package that was entered.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    pub(crate) names: FxHashMap<String, Value>,
    /// Entered where nothing was in doubt: otherwise it is entered again.
    pub(crate) certain: bool,
}

pub(crate) struct Interpreter<'wheels> {
    pub(crate) installed: Installed<'wheels>,
    pub(crate) facts: Facts,
    pub(crate) modules: FxHashMap<String, Entered>,
    pub(crate) chain: Vec<String>,
    pub(crate) uncertain: u32,
    pub(crate) catching: u32,
    handling: Vec<Failure>,
    pub(crate) depth: u32,
    steps: u64,
    pub(crate) findings: Vec<Finding>,
}

impl<'wheels> Interpreter<'wheels> {
    pub(crate) fn new(wheels: &'wheels [&'wheels WheelFiles], facts: Facts) -> Self {
        Self {
            installed: Installed::new(wheels),
            facts,
            modules: FxHashMap::default(),
            chain: Vec::new(),
            uncertain: 0,
            catching: 0,
            handling: Vec::new(),
            depth: 0,
            steps: 0,
            findings: Vec::new(),
        }
    }

    /// The import that a scan begins with.
    pub(crate) fn import_first(&mut self, module: &str) {
        let mut frame = Frame::of_module("");
        // A failure that nothing catches has been noted where it happened.
        let _ = self.import(module, 0, &mut frame);
    }

    /// Runs statements one after the other.
    pub(crate) fn run(&mut self, steps: &[Step], frame: &mut Frame) -> Result<Flow, Failure> {
        let mut maybe = false;
        for step in steps {
            self.steps += 1;
            if self.steps > STEP_LIMIT {
                break;
            }
            let ended = match self.step(step, frame) {
                Ok(Flow::Next) => continue,
                Ok(Flow::Maybe) => {
                    if !maybe {
                        maybe = true;
                        self.uncertain += 1;
                    }
                    continue;
                }
                ended => ended,
            };
            if !maybe {
                return ended;
            }
            break;
        }
        if maybe {
            self.uncertain -= 1;
            return Ok(Flow::Maybe);
        }
        Ok(Flow::Next)
    }

    /// Runs statements that may or may not run.
    pub(crate) fn run_perhaps(&mut self, steps: &[Step], frame: &mut Frame) -> Flow {
        self.uncertain += 1;
        let ended = self.run(steps, frame);
        self.uncertain -= 1;
        match ended {
            Ok(Flow::Next) => Flow::Next,
            _ => Flow::Maybe,
        }
    }

    fn step(&mut self, step: &Step, frame: &mut Frame) -> Result<Flow, Failure> {
        match step {
            Step::Import {
                module,
                alias,
                line,
            } => {
                let flow = self.import(module, *line, frame)?;
                let top = module.split('.').next().unwrap_or_default();
                match alias {
                    Some(alias) => self.bind(alias, Value::Module(module.clone()), frame),
                    None => self.bind(top, Value::Module(top.to_owned()), frame),
                }
                Ok(flow)
            }
            Step::From {
                level,
                module,
                names,
                line,
            } => {
                let source = absolute(&frame.module, frame.is_package, *level, module.as_deref());
                match source {
                    Some(source) => self.import_from(&source, names, *line, frame),
                    None => Ok(Flow::Next),
                }
            }
            Step::Assign { name, value } => {
                let value = self.evaluate(value, frame)?;
                self.bind(name, value, frame);
                Ok(Flow::Next)
            }
            Step::Unpack { names, value } => {
                let value = self.evaluate(value, frame)?;
                for (at, name) in names.iter().enumerate() {
                    if let Some(name) = name {
                        self.bind(name, value.part(at, names.len()), frame);
                    }
                }
                Ok(Flow::Next)
            }
            Step::Evaluate(term) => self.evaluate(term, frame).map(|_| Flow::Next),
            Step::Function { name, function } => {
                let value = if function.closed {
                    Value::Unknown
                } else {
                    Value::Function(frame.module.clone(), function.clone())
                };
                self.bind(name, value, frame);
                Ok(Flow::Next)
            }
            Step::If { arms, otherwise } => self.branch(arms, otherwise, frame),
            Step::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                let ended = self.attempt(body, handlers, otherwise, frame);
                let after = self.run(finally, frame)?;
                match (ended?, after) {
                    (Flow::Next, after) => Ok(after),
                    (ended, _) => Ok(ended),
                }
            }
            Step::Perhaps(body) => Ok(self.run_perhaps(body, frame)),
            Step::Return(term) => {
                let value = self.evaluate(term, frame)?;
                Ok(Flow::Return(value))
            }
            Step::Raise => {
                let failure = self.handling.last().cloned().unwrap_or(Failure::Raised);
                self.fail(failure)
            }
        }
    }

    fn branch(
        &mut self,
        arms: &[(crate::module::Term, Vec<Step>)],
        otherwise: &[Step],
        frame: &mut Frame,
    ) -> Result<Flow, Failure> {
        let mut in_doubt = None;
        let note = |flow: Flow, doubt: &mut Option<Flow>| {
            if doubt.is_none() || matches!(flow, Flow::Maybe) {
                *doubt = Some(flow);
            }
        };
        for (condition, body) in arms {
            match self.evaluate(condition, frame)?.truth() {
                Some(false) => {}
                Some(true) if in_doubt.is_none() => return self.run(body, frame),
                Some(true) => {
                    let flow = self.run_perhaps(body, frame);
                    note(flow, &mut in_doubt);
                    return Ok(in_doubt.unwrap_or(Flow::Next));
                }
                None => {
                    let flow = self.run_perhaps(body, frame);
                    note(flow, &mut in_doubt);
                }
            }
        }
        if in_doubt.is_none() {
            return self.run(otherwise, frame);
        }
        let flow = self.run_perhaps(otherwise, frame);
        note(flow, &mut in_doubt);
        Ok(in_doubt.unwrap_or(Flow::Next))
    }

    fn attempt(
        &mut self,
        body: &[Step],
        handlers: &[Handler],
        otherwise: &[Step],
        frame: &mut Frame,
    ) -> Result<Flow, Failure> {
        if handlers.iter().all(|one| one.catches == Catches::Others) {
            return match self.run(body, frame)? {
                Flow::Next => self.run(otherwise, frame),
                ended => Ok(ended),
            };
        }
        self.catching += 1;
        let ended = self.run(body, frame);
        self.catching -= 1;
        match ended {
            Ok(Flow::Next) => self.run(otherwise, frame),
            Ok(Flow::Maybe) => {
                self.run_perhaps(otherwise, frame);
                for handler in handlers {
                    self.run_perhaps(&handler.body, frame);
                }
                // In a function the body, or a handler, may have returned.
                Ok(if frame.locals.is_some() {
                    Flow::Maybe
                } else {
                    Flow::Next
                })
            }
            Ok(ended) => Ok(ended),
            Err(failure) => {
                let is_name = match &failure {
                    Failure::Missing(finding) => matches!(finding.missing, Missing::Name { .. }),
                    Failure::Raised => false,
                };
                let handler = handlers.iter().find(|handler| match handler.catches {
                    Catches::Imports => true,
                    Catches::Modules => !is_name,
                    Catches::Others => false,
                });
                let Some(handler) = handler else {
                    return self.fail(failure);
                };
                self.handling.push(failure);
                let ended = self.run(&handler.body, frame);
                self.handling.pop();
                ended
            }
        }
    }

    /// A failure: an exception where something may catch it, else a finding.
    pub(crate) fn fail(&mut self, failure: Failure) -> Result<Flow, Failure> {
        if self.catching > 0 {
            if self.uncertain > 0 {
                return Ok(Flow::Maybe);
            }
            return Err(failure);
        }
        match failure {
            Failure::Missing(mut finding) => {
                finding.conditional |= self.uncertain > 0;
                let known = self.findings.iter_mut().find(|known| {
                    (&known.missing, &known.path, known.line)
                        == (&finding.missing, &finding.path, finding.line)
                });
                match known {
                    Some(known) if known.conditional => *known = *finding,
                    Some(_) => {}
                    None => self.findings.push(*finding),
                }
                Ok(Flow::Next)
            }
            Failure::Raised if self.uncertain > 0 => Ok(Flow::Next),
            Failure::Raised => Ok(Flow::Return(Value::Unknown)),
        }
    }

    pub(crate) fn bind(&mut self, name: &str, value: Value, frame: &mut Frame) {
        let value = if self.uncertain > 0 {
            Value::Unknown
        } else {
            value
        };
        let names = match &mut frame.locals {
            Some(locals) => locals,
            None => match self.modules.get_mut(&frame.module) {
                Some(entered) => &mut entered.names,
                None => return,
            },
        };
        names.insert(name.to_owned(), value);
    }
}
