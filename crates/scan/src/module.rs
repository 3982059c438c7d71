//! A module as far as imports go: the statements that matter, without the rest.

use std::sync::Arc;

/// A parsed module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// What runs when it is imported.
    pub(crate) steps: Vec<Step>,
    /// The names that it may define.
    pub(crate) names: Names,
}

/// The names that a module defines in any of its branches.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) defined: rustc_hash::FxHashSet<String>,
    /// `from … import *`: level and module.
    pub(crate) stars: Vec<(u32, Option<String>)>,
    /// It makes names in ways that aren't followed (`globals()`, `sys.modules`).
    pub(crate) open: bool,
    /// It makes names when they are asked for (`__getattr__`), mostly from a list of its own.
    pub(crate) lazy: bool,
    /// The texts in it that could be such a list's.
    pub(crate) offered: rustc_hash::FxHashSet<String>,
    /// It may make submodules that have no file (`sys.modules`, `__path__`).
    pub(crate) open_modules: bool,
}

/// What a statement does, as far as imports go.
#[derive(Debug)]
pub(crate) enum Step {
    /// `import module as name`.
    Import {
        module: String,
        alias: Option<String>,
        line: u32,
    },
    /// `from module import names`.
    From {
        level: u32,
        module: Option<String>,
        names: FromNames,
        line: u32,
    },
    /// `name = value`, or another binding of unknown value.
    Assign { name: String, value: Term },
    /// `first, second = value`; `None` for what is no plain name.
    Unpack {
        names: Vec<Option<String>>,
        value: Term,
    },
    /// An expression by itself.
    Evaluate(Term),
    /// A function's definition.
    Function {
        name: String,
        function: Arc<Function>,
    },
    /// `if` with its `elif`s.
    If {
        arms: Vec<(Term, Vec<Step>)>,
        otherwise: Vec<Step>,
    },
    /// `try`, or `with suppress(…)`.
    Try {
        body: Vec<Step>,
        handlers: Vec<Handler>,
        otherwise: Vec<Step>,
        finally: Vec<Step>,
    },
    /// A loop's or a case's body: it may run.
    Perhaps(Vec<Step>),
    /// `return`.
    Return(Term),
    /// `raise`.
    Raise,
}

/// What is taken out of a module.
#[derive(Debug)]
pub(crate) enum FromNames {
    Star,
    /// Name, and what it is called here.
    Listed(Vec<(String, Option<String>)>),
}

/// An `except` clause.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) catches: Catches,
    pub(crate) body: Vec<Step>,
}

/// Which failed imports an `except` clause catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Catches {
    /// `ImportError`, `Exception`, everything.
    Imports,
    /// `ModuleNotFoundError` only: a missing name isn't one.
    Modules,
    /// No import error.
    Others,
}

/// A function that can be entered.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) steps: Vec<Step>,
    /// Decorated in a way that may replace it, asynchronous, or a generator.
    pub(crate) closed: bool,
}

/// A function's parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// Its value where none is given: a constant, else unknown.
    pub(crate) default: Term,
}

/// The arguments of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Term>,
    pub(crate) named: Vec<(String, Term)>,
    /// There are more that aren't written out (`*args`, `**kwargs`).
    pub(crate) open: bool,
}

/// An expression, as far as it can be decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Unknown,
    Bool(bool),
    None,
    Text(String),
    /// A number or a tuple of numbers.
    Numbers(Vec<i64>),
    /// A name with its attributes: `sys.version_info`.
    Name(String),
    Call(String, Arguments),
    /// A tuple that isn't one of numbers.
    Tuple(Vec<Term>),
    Not(Box<Term>),
    All(Vec<Term>),
    Any(Vec<Term>),
    Compare(Box<Term>, Comparison, Box<Term>),
    /// Several terms of which only the calls matter.
    Calls(Vec<Term>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Is,
    IsNot,
}

impl Comparison {
    /// Whether it holds between two things that can be ordered.
    pub(crate) fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        let ordering = left.cmp(right);
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Equal | Self::Is => ordering.is_eq(),
            Self::NotEqual | Self::IsNot => ordering.is_ne(),
        }
    }

    /// The comparison with its sides exchanged.
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}
