//! Running a package's import in the abstract.
//!
//! Statements run in Python's order, modules of the scanned package are entered as `import`
//! enters them, and a failed import travels like an exception up to the `except` that catches it.
//! Where a condition can't be decided both sides run, and what fails there is conditional.

use std::collections::BTreeSet;

use bnbpip_packaging::PackageName;
use rustc_hash::FxHashMap;

use crate::evaluate::Value;
use crate::module::{Catches, FromNames, Handler, Step};
use crate::names::{HasName, has_name};
use crate::parse::absolute;
use crate::wheel::{Found, WheelFiles};

/// The top-level modules of Python's standard library.
const STANDARD_LIBRARY: &str = include_str!("stdlib.txt");

/// The most steps of one scan: enough for the largest packages, and an end for odd ones.
const STEP_LIMIT: u64 = 5_000_000;

/// The deepest nesting of modules and calls.
const DEPTH_LIMIT: u32 = 300;

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
}

/// Where the import is imagined to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The operating system.
    pub system: System,
    /// Python's major and minor version.
    pub python: (u8, u8),
}

/// What an import doesn't find.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A module.
    Module(String),
    /// A name of a module that is there.
    Name {
        /// The module.
        module: String,
        /// The name.
        name: String,
    },
}

/// An import that fails.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The package that lacks it.
    pub package: PackageName,
    /// What is missing.
    pub missing: Missing,
    /// The file with the import, as it stands in the archive.
    pub path: String,
    /// The line of the import, from 1.
    pub line: u32,
    /// Whether it stands under a condition that couldn't be decided.
    pub conditional: bool,
    /// The modules through which it is reached, outermost first.
    pub via: Vec<String>,
}

/// What a scan brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The imports that fail, in the order in which they are reached.
    pub findings: Vec<Finding>,
    /// Files that have to be handed in for a complete answer: the wheel's position and the path in
    /// its archive. Empty when the answer is complete.
    pub wanted: BTreeSet<(usize, String)>,
}

/// Imports `modules` of the first wheel, with all wheels installed.
pub fn scan(wheels: &[&WheelFiles], modules: &[String], facts: Facts) -> Scan {
    let mut interpreter = Interpreter {
        wheels,
        facts,
        modules: FxHashMap::default(),
        chain: Vec::new(),
        uncertain: 0,
        catching: 0,
        handling: Vec::new(),
        depth: 0,
        steps: 0,
        scan: Scan::default(),
    };
    for module in modules {
        let mut frame = Frame::of_module("");
        // A failure that nothing catches has been noted where it happened.
        let _ = interpreter.import(module, 0, &mut frame);
    }
    interpreter.scan
}

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
    certain: bool,
}

pub(crate) struct Interpreter<'wheels> {
    pub(crate) wheels: &'wheels [&'wheels WheelFiles],
    pub(crate) facts: Facts,
    pub(crate) modules: FxHashMap<String, Entered>,
    chain: Vec<String>,
    pub(crate) uncertain: u32,
    catching: u32,
    handling: Vec<Failure>,
    pub(crate) depth: u32,
    steps: u64,
    scan: Scan,
}

impl Interpreter<'_> {
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
    fn fail(&mut self, failure: Failure) -> Result<Flow, Failure> {
        if self.catching > 0 {
            if self.uncertain > 0 {
                return Ok(Flow::Maybe);
            }
            return Err(failure);
        }
        match failure {
            Failure::Missing(mut finding) => {
                finding.conditional |= self.uncertain > 0;
                let known = self.scan.findings.iter_mut().find(|known| {
                    (&known.missing, &known.path, known.line)
                        == (&finding.missing, &finding.path, finding.line)
                });
                match known {
                    Some(known) if known.conditional => *known = *finding,
                    Some(_) => {}
                    None => self.scan.findings.push(*finding),
                }
                Ok(Flow::Next)
            }
            Failure::Raised if self.uncertain > 0 => Ok(Flow::Next),
            Failure::Raised => Ok(Flow::Return(Value::Unknown)),
        }
    }

    fn bind(&mut self, name: &str, value: Value, frame: &mut Frame) {
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
            match self.locate(module) {
                Located::Own(path) => {
                    if matches!(self.enter(module, &path)?, Flow::Maybe) {
                        flow = Flow::Maybe;
                    }
                }
                Located::There => {}
                Located::Unknown => return Ok(Flow::Next),
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
            package: self.wheels[wheel].name().clone(),
            missing,
            path: self.wheels[0].archive_path(&frame.path),
            line,
            conditional: self.uncertain > 0,
            via: self.chain.clone(),
        };
        self.fail(Failure::Missing(Box::new(finding)))
    }

    /// `from source import names`.
    fn import_from(
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
            match self.locate(&submodule) {
                Located::Own(path) => {
                    if matches!(self.enter(&submodule, &path)?, Flow::Maybe) {
                        flow = Flow::Maybe;
                    }
                    self.bind(bound, Value::Module(submodule), frame);
                }
                Located::There => self.bind(bound, Value::Module(submodule), frame),
                Located::Lacks(wheel) => {
                    if self.lacks_name(wheel, source, name) {
                        let missing = Missing::Name {
                            module: source.to_owned(),
                            name: name.clone(),
                        };
                        if matches!(self.missing(wheel, missing, line, frame)?, Flow::Maybe) {
                            flow = Flow::Maybe;
                        }
                    }
                    self.bind(bound, Value::Unknown, frame);
                }
                Located::External | Located::Unknown => self.bind(bound, Value::Unknown, frame),
            }
        }
        Ok(flow)
    }

    fn lacks_name(&mut self, wheel: usize, module: &str, name: &str) -> bool {
        let Some(Found::Python(path)) = self.wheels[wheel].find(module) else {
            return false;
        };
        match has_name(self.wheels[wheel], module, &path, name) {
            HasName::No => true,
            HasName::Yes | HasName::Unknown => false,
            HasName::Wants(path) => {
                self.want(wheel, &path);
                false
            }
        }
    }

    /// Runs a module of the scanned package, unless that has been done.
    fn enter(&mut self, module: &str, path: &str) -> Result<Flow, Failure> {
        if let Some(entered) = self.modules.get(module)
            && (entered.certain || self.uncertain > 0 || self.chain.iter().any(|one| one == module))
        {
            return Ok(Flow::Next);
        }
        let parsed = match self.wheels[0].module(path) {
            None => {
                self.want(0, path);
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

    fn want(&mut self, wheel: usize, path: &str) {
        let path = self.wheels[wheel].archive_path(path);
        self.scan.wanted.insert((wheel, path));
    }

    /// Where a module is among the wheels.
    pub(crate) fn locate(&mut self, dotted: &str) -> Located {
        let top = dotted.split('.').next().unwrap_or_default();
        let owners: Vec<usize> = (0..self.wheels.len())
            .filter(|at| self.wheels[*at].owns(top))
            .collect();
        if owners.is_empty() {
            return Located::External;
        }
        for &owner in &owners {
            match self.wheels[owner].find(dotted) {
                Some(Found::Python(path)) if owner == 0 => return Located::Own(path),
                Some(_) => return Located::There,
                None => {}
            }
        }
        // What the scanned package itself lacks is made when it is built or run.
        if owners.contains(&0) {
            return Located::Unknown;
        }
        let owner = owners[0];
        for end in ends(dotted) {
            match self.wheels[owner].find(&dotted[..end]) {
                Some(Found::Compiled) => return Located::Unknown,
                Some(Found::Namespace) => {}
                Some(Found::Python(path)) => match self.wheels[owner].module(&path) {
                    None => {
                        self.want(owner, &path);
                        return Located::Unknown;
                    }
                    Some(Some(parsed)) if !parsed.names.open_modules => {}
                    Some(_) => return Located::Unknown,
                },
                None => break,
            }
        }
        Located::Lacks(owner)
    }
}

/// Where a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    /// In the scanned package, at this path.
    Own(Box<str>),
    /// In another wheel.
    There,
    /// The wheel at this position should have it and doesn't.
    Lacks(usize),
    /// It can't be known.
    Unknown,
    /// In none of the wheels' packages.
    External,
}

/// The ends of the prefixes `a`, `a.b`, `a.b.c`.
fn ends(dotted: &str) -> Vec<usize> {
    let dots = dotted.match_indices('.').map(|(at, _)| at);
    dots.chain([dotted.len()]).collect()
}

/// Whether Python itself brings the module.
pub(crate) fn is_standard(dotted: &str) -> bool {
    let top = dotted.split('.').next().unwrap_or_default();
    STANDARD_LIBRARY.lines().any(|line| line == top)
}
