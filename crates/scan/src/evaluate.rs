//! Values of expressions, as far as they can be known without running anything.

use std::sync::Arc;

use bnbpip_packaging::Version;
use rustc_hash::FxHashMap;

use crate::findings::System;
use crate::installed::{Installed, Located, is_standard};
use crate::interpreter::{Failure, Flow, Frame, Interpreter};
use crate::module::{Arguments, Comparison, Function, Term};

/// How deep calls are followed.
const CALL_LIMIT: u32 = 120;

/// The third part of the imagined Python's version: higher than any that code asks for.
const LATEST_MICRO: i64 = 99;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Unknown,
    Bool(bool),
    None,
    Text(String),
    Numbers(Vec<i64>),
    Version(Version),
    /// The version of the wheel at this position.
    InstalledVersion(usize),
    /// What `find_spec` gave.
    Spec(bool),
    Module(String),
    Tuple(Vec<Value>),
    /// A function and the module that it is defined in.
    Function(String, Arc<Function>),
}

impl Value {
    /// Whether it counts as true; `None` if that isn't known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Bool(value) | Self::Spec(value) => Some(*value),
            Self::None => Some(false),
            Self::Text(text) => Some(!text.is_empty()),
            Self::Numbers(numbers) => match numbers.as_slice() {
                [one] => Some(*one != 0),
                _ => Some(!numbers.is_empty()),
            },
            Self::Tuple(parts) => Some(!parts.is_empty()),
            Self::Version(_) | Self::InstalledVersion(_) | Self::Module(_) | Self::Function(..) => {
                Some(true)
            }
        }
    }

    /// One part of a value that is taken apart into so many.
    pub(crate) fn part(&self, at: usize, parts: usize) -> Self {
        match self {
            Self::Tuple(values) if values.len() == parts => values[at].clone(),
            Self::Numbers(numbers) if numbers.len() == parts => Self::Numbers(vec![numbers[at]]),
            _ => Self::Unknown,
        }
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, Self::Bool)
    }

    fn as_version(&self) -> Option<Version> {
        match self {
            Self::Version(version) => Some(version.clone()),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The values that a function is called with.
struct Given<'names> {
    positional: Vec<Value>,
    named: FxHashMap<&'names str, Value>,
    /// There may be more.
    open: bool,
}

impl Interpreter<'_> {
    /// The value of a term. Calls are followed: an import inside one may fail.
    pub(crate) fn evaluate(&mut self, term: &Term, frame: &mut Frame) -> Result<Value, Failure> {
        Ok(match term {
            Term::Unknown => Value::Unknown,
            Term::Bool(value) => Value::Bool(*value),
            Term::None => Value::None,
            Term::Text(text) => Value::Text(text.clone()),
            Term::Numbers(numbers) => Value::Numbers(numbers.clone()),
            Term::Name(name) => self.look_up(name, frame),
            Term::Call(name, arguments) => return self.call(name, arguments, frame),
            Term::Not(inner) => {
                let truth = self.evaluate(inner, frame)?.truth();
                Value::of_truth(truth.map(|truth| !truth))
            }
            Term::All(terms) => return self.all_or_any(terms, false, frame),
            Term::Any(terms) => return self.all_or_any(terms, true, frame),
            Term::Compare(left, comparison, right) => {
                let left = self.evaluate(left, frame)?;
                let right = self.evaluate(right, frame)?;
                Value::of_truth(compare(&mut self.installed, &left, *comparison, &right))
            }
            Term::Tuple(terms) => {
                let parts = terms.iter().map(|term| self.evaluate(term, frame));
                Value::Tuple(parts.collect::<Result<_, _>>()?)
            }
            Term::Calls(terms) => {
                for term in terms {
                    self.evaluate(term, frame)?;
                }
                Value::Unknown
            }
        })
    }

    /// `and` (which a false term decides) and `or` (which a true one does).
    fn all_or_any(
        &mut self,
        terms: &[Term],
        decisive: bool,
        frame: &mut Frame,
    ) -> Result<Value, Failure> {
        let mut in_doubt = false;
        for term in terms {
            let value = if in_doubt {
                self.uncertain += 1;
                let value = self.evaluate(term, frame);
                self.uncertain -= 1;
                value.unwrap_or(Value::Unknown)
            } else {
                self.evaluate(term, frame)?
            };
            match value.truth() {
                Some(truth) if truth == decisive => return Ok(Value::Bool(decisive)),
                Some(_) => {}
                None => in_doubt = true,
            }
        }
        Ok(if in_doubt {
            Value::Unknown
        } else {
            Value::Bool(!decisive)
        })
    }

    fn look_up(&mut self, name: &str, frame: &Frame) -> Value {
        let (major, minor) = self.facts.python;
        let (major, minor) = (i64::from(major), i64::from(minor));
        let system = self.facts.system;
        match name {
            "TYPE_CHECKING" | "typing.TYPE_CHECKING" | "t.TYPE_CHECKING" => {
                return Value::Bool(false);
            }
            "sys.version_info" => return Value::Numbers(vec![major, minor, LATEST_MICRO]),
            "sys.version_info.pair" => return Value::Numbers(vec![major, minor]),
            "sys.version_info.major" => return Value::Numbers(vec![major]),
            "sys.version_info.minor" => return Value::Numbers(vec![minor]),
            "sys.platform" => {
                let text = match system {
                    System::Linux => "linux",
                    System::Windows => "win32",
                    System::Macos => "darwin",
                };
                return Value::Text(text.into());
            }
            "os.name" => {
                let text = if system == System::Windows {
                    "nt"
                } else {
                    "posix"
                };
                return Value::Text(text.into());
            }
            _ => {}
        }
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let local = frame.locals.as_ref().and_then(|locals| locals.get(first));
        let global = || self.modules.get(&frame.module)?.names.get(first);
        let mut value = local.or_else(global).cloned().unwrap_or(Value::Unknown);
        for part in rest.split('.').filter(|part| !part.is_empty()) {
            let Value::Module(module) = value else {
                return Value::Unknown;
            };
            value = self.attribute(&module, part);
        }
        value
    }

    fn attribute(&mut self, module: &str, name: &str) -> Value {
        if name == "__version__"
            && !module.contains('.')
            && let Some(wheel) = self.installed.owner(module)
        {
            return Value::InstalledVersion(wheel);
        }
        if let Some(value) = self.modules.get(module).and_then(|one| one.names.get(name)) {
            return value.clone();
        }
        let submodule = format!("{module}.{name}");
        match self.installed.locate(&submodule) {
            Located::Own(_) | Located::There => Value::Module(submodule),
            _ => Value::Unknown,
        }
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &Arguments,
        frame: &mut Frame,
    ) -> Result<Value, Failure> {
        let mut values = Vec::with_capacity(arguments.positional.len());
        for argument in &arguments.positional {
            values.push(self.evaluate(argument, frame)?);
        }
        let mut named = FxHashMap::default();
        for (name, argument) in &arguments.named {
            named.insert(name.as_str(), self.evaluate(argument, frame)?);
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        let text = match values.as_slice() {
            [Value::Text(text), ..] => Some(text.as_str()),
            _ => None,
        };
        Ok(match (last, text) {
            ("find_spec", Some(module)) => self.present(module).map_or(Value::Unknown, Value::Spec),
            ("import_module" | "__import__", Some(module)) if !module.starts_with('.') => {
                let module = module.to_owned();
                self.import(&module, 0, frame)?;
                Value::Module(module)
            }
            ("version", Some(distribution)) => {
                let wheel = self.installed.position(distribution);
                wheel.map_or(Value::Unknown, Value::InstalledVersion)
            }
            ("parse" | "Version" | "LooseVersion" | "StrictVersion" | "parse_version", _)
                if values.len() == 1 =>
            {
                match &values[0] {
                    Value::InstalledVersion(wheel) => Value::InstalledVersion(*wheel),
                    value => value.as_version().map_or(Value::Unknown, Value::Version),
                }
            }
            ("system", None) if name == "platform.system" => {
                let text = match self.facts.system {
                    System::Linux => "Linux",
                    System::Windows => "Windows",
                    System::Macos => "Darwin",
                };
                Value::Text(text.into())
            }
            ("bool", _) if values.len() == 1 => Value::of_truth(values[0].truth()),
            _ => match self.look_up(name, frame) {
                Value::Function(module, function) => {
                    let given = Given {
                        positional: values,
                        named,
                        open: arguments.open,
                    };
                    return self.enter_function(&module, &function, &given, frame);
                }
                _ => Value::Unknown,
            },
        })
    }

    fn enter_function(
        &mut self,
        module: &str,
        function: &Function,
        given: &Given<'_>,
        frame: &mut Frame,
    ) -> Result<Value, Failure> {
        if self.depth >= CALL_LIMIT {
            return Ok(Value::Unknown);
        }
        let mut locals = FxHashMap::default();
        for (at, parameter) in function.parameters.iter().enumerate() {
            let value = match given.positional.get(at) {
                _ if given.open => Value::Unknown,
                Some(value) => value.clone(),
                None => match given.named.get(parameter.name.as_str()) {
                    Some(value) => value.clone(),
                    None => self.evaluate(&parameter.default, frame)?,
                },
            };
            locals.insert(parameter.name.clone(), value);
        }
        let same = module == frame.module;
        let path = match self.installed.locate(module) {
            _ if same => frame.path.clone(),
            Located::Own(path) => path.into_string(),
            _ => return Ok(Value::Unknown),
        };
        let mut inner = Frame {
            module: module.to_owned(),
            is_package: path.ends_with("/__init__.py"),
            path,
            locals: Some(locals),
        };
        self.depth += 1;
        let ended = self.run(&function.steps, &mut inner);
        self.depth -= 1;
        Ok(match ended? {
            Flow::Return(value) => value,
            Flow::Next => Value::None,
            Flow::Maybe => Value::Unknown,
        })
    }

    /// Whether a module is installed; `None` if that isn't known.
    fn present(&mut self, module: &str) -> Option<bool> {
        match self.installed.locate(module) {
            Located::Own(_) | Located::There => Some(true),
            Located::Lacks(_) => Some(false),
            Located::External => is_standard(module).then_some(true),
            Located::Unknown | Located::Wants(..) => None,
        }
    }
}

/// Whether a comparison holds; `None` if that isn't known.
fn compare(
    installed: &mut Installed<'_>,
    left: &Value,
    comparison: Comparison,
    right: &Value,
) -> Option<bool> {
    if let (Comparison::Is | Comparison::IsNot, value, Value::None) = (comparison, left, right) {
        let is_none = match value {
            Value::Unknown => return None,
            Value::None | Value::Spec(false) => true,
            _ => false,
        };
        return Some(is_none == (comparison == Comparison::Is));
    }
    Some(match (left, right) {
        (Value::Numbers(left), Value::Numbers(right)) => comparison.holds(left, right),
        (Value::Text(left), Value::Text(right))
            if matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
        {
            comparison.holds(left, right)
        }
        (Value::Bool(left), Value::Bool(right)) => comparison.holds(left, right),
        (Value::InstalledVersion(wheel), other) => {
            installed.compare(*wheel, comparison, &other.as_version()?)
        }
        (other, Value::InstalledVersion(wheel)) => {
            installed.compare(*wheel, comparison.reversed(), &other.as_version()?)
        }
        (Value::Version(_), _) | (_, Value::Version(_)) => {
            comparison.holds(&left.as_version()?, &right.as_version()?)
        }
        _ => return None,
    })
}
