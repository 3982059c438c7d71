//! The values of expressions that are the same wherever a script runs.

use std::cell::{Cell, RefCell};

use ruff_python_ast::{Expr, ExprCall, ExprDict, Operator, Stmt};
use ruff_text_size::{Ranged as _, TextRange};
use rustc_hash::{FxHashMap, FxHashSet};

use super::outline::Outline;

/// How much is put together, in bytes: a list may be made of others many times over.
const BUDGET_BYTES: usize = 1 << 20;

/// What a value takes beside its text, in bytes.
const VALUE_BYTES: usize = 50;

/// How deep names lead to names.
const DEPTH_LIMIT: usize = 100;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Constant {
    None,
    Text(String),
    List(Vec<Constant>),
    Dict(Vec<(String, Constant)>),
}

impl Constant {
    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The values that names have when `setup` is called.
pub(super) struct Constants<'ast> {
    outline: &'ast Outline<'ast>,
    /// What is bound on the straight way to the call, and nowhere else.
    values: FxHashMap<&'ast str, &'ast Expr>,
    /// What may still be put together, in bytes.
    left: Cell<usize>,
    depth: Cell<usize>,
    /// The names of values that can be changed in place, and where they were read.
    read: RefCell<FxHashMap<&'ast str, FxHashSet<TextRange>>>,
}

impl<'ast> Constants<'ast> {
    pub(super) fn of(
        body: &'ast [Stmt],
        outline: &'ast Outline<'ast>,
        call: &'ast ExprCall,
    ) -> Self {
        let mut values = FxHashMap::default();
        straight(body, call.range(), &mut values);
        values.retain(|name, _| outline.is_bound_once(name));
        Self {
            outline,
            values,
            left: Cell::new(BUDGET_BYTES),
            depth: Cell::new(0),
            read: RefCell::default(),
        }
    }

    /// Whether nothing in the script can have changed, in place, what was read by name.
    pub(super) fn are_unchanged(&self) -> bool {
        let read = self.read.borrow();
        read.iter()
            .all(|(name, places)| self.outline.uses(name).all(|place| places.contains(place)))
    }

    fn spend(&self, bytes: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(bytes)?);
        Some(())
    }

    pub(super) fn value(&self, expression: &'ast Expr) -> Option<Constant> {
        self.spend(VALUE_BYTES)?;
        self.depth.set(self.depth.get() + 1);
        let value = if self.depth.get() > DEPTH_LIMIT {
            None
        } else {
            self.value_of(expression)
        };
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn value_of(&self, expression: &'ast Expr) -> Option<Constant> {
        match expression {
            Expr::NoneLiteral(_) => Some(Constant::None),
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                self.spend(text.len())?;
                Some(Constant::Text(text.to_owned()))
            }
            Expr::List(list) => self.list(&list.elts),
            Expr::Tuple(tuple) => self.list(&tuple.elts),
            Expr::Set(set) => self.list(&set.elts),
            Expr::Dict(dict) => self.dict(dict),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                match (self.value(&sum.left)?, self.value(&sum.right)?) {
                    (Constant::Text(left), Constant::Text(right)) => {
                        Some(Constant::Text(left + &right))
                    }
                    (Constant::List(mut left), Constant::List(right)) => {
                        left.extend(right);
                        Some(Constant::List(left))
                    }
                    _ => None,
                }
            }
            Expr::Name(name) => {
                let (name, assigned) = self.values.get_key_value(name.id.as_str())?;
                let value = self.value(assigned)?;
                if matches!(value, Constant::List(_) | Constant::Dict(_)) {
                    let mut read = self.read.borrow_mut();
                    read.entry(name).or_default().insert(expression.range());
                }
                Some(value)
            }
            _ => None,
        }
    }

    fn list(&self, elements: &'ast [Expr]) -> Option<Constant> {
        let mut values = Vec::new();
        for element in elements {
            match element {
                Expr::Starred(starred) => match self.value(&starred.value)? {
                    Constant::List(more) => values.extend(more),
                    _ => return None,
                },
                other => values.push(self.value(other)?),
            }
        }
        Some(Constant::List(values))
    }

    fn dict(&self, dict: &'ast ExprDict) -> Option<Constant> {
        let mut values: Vec<(String, Constant)> = Vec::new();
        let mut set = |key: String, value| match values.iter_mut().find(|(had, _)| *had == key) {
            Some((_, had)) => *had = value,
            None => values.push((key, value)),
        };
        for item in &dict.items {
            match &item.key {
                Some(key) => match self.value(key)? {
                    Constant::Text(key) => set(key, self.value(&item.value)?),
                    _ => return None,
                },
                None => match self.value(&item.value)? {
                    Constant::Dict(more) => more.into_iter().for_each(|(key, one)| set(key, one)),
                    _ => return None,
                },
            }
        }
        Some(Constant::Dict(values))
    }
}

/// The assignments that every run passes on its way to the call: those of the module, and of the
/// function, `with` or `if __name__ == "__main__"` that it stands in.
fn straight<'ast>(
    body: &'ast [Stmt],
    call: TextRange,
    values: &mut FxHashMap<&'ast str, &'ast Expr>,
) {
    let mut assign = |target: &'ast Expr, value: &'ast Expr| {
        if let Expr::Name(name) = target {
            values.insert(name.id.as_str(), value);
        }
    };
    for statement in body {
        match statement {
            Stmt::Assign(assignment) => {
                if let [target] = &*assignment.targets {
                    assign(target, &assignment.value);
                }
            }
            Stmt::AnnAssign(assignment) => {
                if let Some(value) = &assignment.value {
                    assign(&assignment.target, value);
                }
            }
            _ => {}
        }
    }
    let is_around = |one: &Stmt| one.range().contains_range(call);
    match body.iter().find(|one| is_around(one)) {
        Some(Stmt::FunctionDef(function)) => straight(&function.body, call, values),
        Some(Stmt::With(with)) => straight(&with.body, call, values),
        Some(Stmt::If(branch)) if branch.body.iter().any(is_around) => {
            straight(&branch.body, call, values);
        }
        _ => {}
    }
}
