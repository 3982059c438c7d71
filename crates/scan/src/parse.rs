//! Python source to [`Module`].

use std::sync::Arc;

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ModModule, Stmt, StmtTry};

use crate::module::{Catches, FromNames, Function, Handler, Module, Names, Parameter, Step, Term};
use crate::parse::depth::is_too_deep;
use crate::parse::names::collect;
pub(crate) use crate::parse::term::dotted;
use crate::parse::term::term;

mod depth;
mod names;
mod term;

/// A module's outline; `None` if this is no Python that the parser knows.
pub(crate) fn parse(content: &[u8]) -> Option<Module> {
    let (text, syntax) = syntax(content)?;
    let body = &syntax.body;
    let lines = Lines::of(text);
    let mut names = Names::default();
    collect(body, &mut names);
    Some(Module {
        steps: lines.steps(body),
        names,
    })
}

/// A file's text and its syntax tree; `None` as for [`parse`].
pub(crate) fn syntax(content: &[u8]) -> Option<(&str, ModModule)> {
    let text = str::from_utf8(content).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_too_deep(text) {
        return None;
    }
    let parsed = ruff_python_parser::parse_module(text).ok()?;
    Some((text, parsed.into_syntax()))
}

/// The module that `from` names inside `module`: `None` if it leads out of the package.
pub(crate) fn absolute(
    module: &str,
    is_package: bool,
    level: u32,
    from: Option<&str>,
) -> Option<String> {
    if level == 0 {
        return from.map(str::to_owned);
    }
    let mut parts: Vec<&str> = module.split('.').collect();
    let up = if is_package { level - 1 } else { level };
    for _ in 0..up {
        parts.pop()?;
    }
    parts.extend(from);
    (!parts.is_empty() && !parts[0].is_empty()).then(|| parts.join("."))
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(breaks.map(|(at, _)| at).collect())
    }

    /// The line, from 1.
    fn line(&self, offset: u32) -> u32 {
        let before = self.0.partition_point(|at| *at < offset as usize);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    fn steps(&self, body: &[Stmt]) -> Vec<Step> {
        let mut steps = Vec::new();
        for statement in body {
            self.step(statement, &mut steps);
        }
        steps
    }

    fn step(&self, statement: &Stmt, steps: &mut Vec<Step>) {
        match statement {
            Stmt::Import(import) if !import.is_lazy => {
                for alias in &import.names {
                    steps.push(Step::Import {
                        module: alias.name.to_string(),
                        alias: alias.asname.as_ref().map(ToString::to_string),
                        line: self.line(import.range.start().to_u32()),
                    });
                }
            }
            Stmt::ImportFrom(import) if !import.is_lazy => {
                let listed = import.names.iter().map(|alias| {
                    let alias_name = alias.asname.as_ref().map(ToString::to_string);
                    (alias.name.to_string(), alias_name)
                });
                let is_star = import.names.iter().any(|alias| alias.name.as_str() == "*");
                steps.push(Step::From {
                    level: import.level,
                    module: import.module.as_ref().map(ToString::to_string),
                    names: if is_star {
                        FromNames::Star
                    } else {
                        FromNames::Listed(listed.collect())
                    },
                    line: self.line(import.range.start().to_u32()),
                });
            }
            Stmt::Assign(assign) => assigned(&assign.targets, &assign.value, steps),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    assigned(std::slice::from_ref(&*assign.target), value, steps);
                }
            }
            Stmt::AugAssign(assign) => {
                if let Some(name) = dotted(&assign.target) {
                    steps.push(Step::Assign {
                        name,
                        value: Term::Unknown,
                    });
                }
            }
            Stmt::Expr(expression) => steps.push(Step::Evaluate(term(&expression.value))),
            Stmt::Return(value) => steps.push(Step::Return(
                value.value.as_deref().map_or(Term::None, term),
            )),
            Stmt::Raise(_) => steps.push(Step::Raise),
            Stmt::FunctionDef(function) => {
                let parameters = function.parameters.iter_non_variadic_params();
                steps.push(Step::Function {
                    name: function.name.to_string(),
                    function: Arc::new(Function {
                        parameters: parameters
                            .map(|one| Parameter {
                                name: one.parameter.name.to_string(),
                                default: one.default().map_or(Term::Unknown, constant),
                            })
                            .collect(),
                        steps: self.steps(&function.body),
                        closed: function.is_async
                            || function
                                .decorator_list
                                .iter()
                                .any(|one| !keeps(&one.expression))
                            || yields(&function.body),
                    }),
                });
            }
            Stmt::ClassDef(class) => {
                steps.extend(self.steps(&class.body));
                steps.push(Step::Assign {
                    name: class.name.to_string(),
                    value: Term::Unknown,
                });
            }
            Stmt::If(branch) => {
                let mut arms = vec![(term(&branch.test), self.steps(&branch.body))];
                let mut otherwise = Vec::new();
                for clause in &branch.elif_else_clauses {
                    let body = self.steps(&clause.body);
                    match &clause.test {
                        Some(test) => arms.push((term(test), body)),
                        None => otherwise = body,
                    }
                }
                steps.push(Step::If { arms, otherwise });
            }
            Stmt::Try(attempt) => steps.push(self.attempt(attempt)),
            Stmt::With(with) => {
                let suppressed = with
                    .items
                    .iter()
                    .find_map(|item| suppressed(&item.context_expr));
                let body = self.steps(&with.body);
                match suppressed {
                    Some(catches) => steps.push(Step::Try {
                        body,
                        handlers: vec![Handler {
                            catches,
                            body: Vec::new(),
                        }],
                        otherwise: Vec::new(),
                        finally: Vec::new(),
                    }),
                    None => steps.extend(body),
                }
            }
            Stmt::For(repeat) => {
                steps.push(Step::Perhaps(self.steps(&repeat.body)));
                steps.extend(self.steps(&repeat.orelse));
            }
            Stmt::While(repeat) => {
                steps.push(Step::Perhaps(self.steps(&repeat.body)));
                steps.extend(self.steps(&repeat.orelse));
            }
            Stmt::Match(choice) => {
                for case in &choice.cases {
                    steps.push(Step::Perhaps(self.steps(&case.body)));
                }
            }
            _ => {}
        }
    }

    fn attempt(&self, attempt: &StmtTry) -> Step {
        let handlers = attempt.handlers.iter().map(|handler| {
            let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
            Handler {
                catches: handler.type_.as_deref().map_or(Catches::Imports, catches),
                body: self.steps(&handler.body),
            }
        });
        Step::Try {
            handlers: handlers.collect(),
            body: self.steps(&attempt.body),
            otherwise: self.steps(&attempt.orelse),
            finally: self.steps(&attempt.finalbody),
        }
    }
}

/// A parameter's default, if it is the same whenever it is looked at.
fn constant(default: &Expr) -> Term {
    match term(default) {
        constant @ (Term::Bool(_) | Term::None | Term::Text(_) | Term::Numbers(_)) => constant,
        _ => Term::Unknown,
    }
}

/// `a = b = value`: the first plain name gets the value, or each of a tuple's its part; everything
/// else that is bound is unknown.
fn assigned(targets: &[Expr], value: &Expr, steps: &mut Vec<Step>) {
    let value = term(value);
    if let [Expr::Tuple(tuple)] = targets
        && !tuple.elts.iter().any(Expr::is_starred_expr)
    {
        let name = |one: &Expr| one.as_name_expr().map(|name| name.id.to_string());
        steps.push(Step::Unpack {
            names: tuple.elts.iter().map(name).collect(),
            value,
        });
        let nested = tuple.elts.iter().filter(|one| !one.is_name_expr());
        nested.for_each(|one| unknown_names(one, steps));
        return;
    }
    let [Expr::Name(first), rest @ ..] = targets else {
        steps.push(Step::Evaluate(value));
        for target in targets {
            unknown_names(target, steps);
        }
        return;
    };
    for target in rest {
        unknown_names(target, steps);
    }
    steps.push(Step::Assign {
        name: first.id.to_string(),
        value,
    });
}

fn unknown_names(target: &Expr, steps: &mut Vec<Step>) {
    match target {
        Expr::Name(name) => steps.push(Step::Assign {
            name: name.id.to_string(),
            value: Term::Unknown,
        }),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|one| unknown_names(one, steps)),
        Expr::List(list) => list.elts.iter().for_each(|one| unknown_names(one, steps)),
        _ => {}
    }
}

/// Which import errors an `except` clause's type catches.
fn catches(exception: &Expr) -> Catches {
    if let Expr::Tuple(tuple) = exception {
        let each: Vec<Catches> = tuple.elts.iter().map(catches).collect();
        return if each.contains(&Catches::Imports) {
            Catches::Imports
        } else if each.contains(&Catches::Modules) {
            Catches::Modules
        } else {
            Catches::Others
        };
    }
    match dotted(exception).as_deref() {
        // What isn't a known exception may be any; to report less is better.
        Some("ModuleNotFoundError") => Catches::Modules,
        Some(
            "AttributeError"
            | "OSError"
            | "RuntimeError"
            | "ValueError"
            | "TypeError"
            | "KeyError"
            | "NameError"
            | "IndexError"
            | "FileNotFoundError"
            | "NotImplementedError"
            | "SyntaxError"
            | "AssertionError"
            | "LookupError"
            | "KeyboardInterrupt",
        ) => Catches::Others,
        _ => Catches::Imports,
    }
}

/// `contextlib.suppress(ImportError)`.
fn suppressed(context: &Expr) -> Option<Catches> {
    let Expr::Call(call) = context else {
        return None;
    };
    let name = dotted(&call.func)?;
    if name != "suppress" && name != "contextlib.suppress" {
        return None;
    }
    let each: Vec<Catches> = call.arguments.args.iter().map(catches).collect();
    [Catches::Imports, Catches::Modules]
        .into_iter()
        .find(|catches| each.contains(catches))
}

/// Whether a decorator leaves the function's result as it is.
fn keeps(decorator: &Expr) -> bool {
    let name = match decorator {
        Expr::Call(call) => dotted(&call.func),
        other => dotted(other),
    };
    let name = name.unwrap_or_default();
    matches!(
        name.rsplit('.').next(),
        Some("lru_cache" | "cache" | "staticmethod" | "wraps")
    )
}

/// Whether calling the function doesn't run it: there is a `yield` in its own statements.
fn yields(body: &[Stmt]) -> bool {
    struct Yields(bool);
    impl<'ast> Visitor<'ast> for Yields {
        fn visit_stmt(&mut self, statement: &'ast Stmt) {
            if !matches!(statement, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                ruff_python_ast::visitor::walk_stmt(self, statement);
            }
        }
        fn visit_expr(&mut self, expression: &'ast Expr) {
            if matches!(expression, Expr::Yield(_) | Expr::YieldFrom(_)) {
                self.0 = true;
            } else if !matches!(expression, Expr::Lambda(_)) {
                walk_expr(self, expression);
            }
        }
    }
    let mut yields = Yields(false);
    for statement in body {
        yields.visit_stmt(statement);
    }
    yields.0
}
