//! The names that a module's statements may define, whichever branch is taken.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Pattern, Stmt};

use super::term::dotted;
use crate::module::Names;

/// Collects from the statements of a module.
pub(super) fn collect(body: &[Stmt], names: &mut Names) {
    let mut collector = Collector {
        names,
        in_function: false,
    };
    for statement in body {
        collector.visit_stmt(statement);
    }
}

struct Collector<'names> {
    names: &'names mut Names,
    in_function: bool,
}

impl Collector<'_> {
    fn define(&mut self, name: &str) {
        if !self.in_function {
            self.names.lazy |= name == "__getattr__";
            self.names.open_modules |= name == "__path__";
            self.names.defined.insert(name.to_owned());
        }
    }

    /// `sys.modules[__name__] = …`, `globals()[…] = …`, `module.__dict__[…] = …`.
    fn check_target(&mut self, target: &Expr) {
        match target {
            Expr::Subscript(subscript) => match &*subscript.value {
                Expr::Call(_) => self.names.open = true,
                other => {
                    let name = dotted(other).unwrap_or_default();
                    if name.ends_with("__dict__") && self.in_function {
                        self.names.lazy = true;
                    } else if name == "sys.modules" || name.ends_with("__dict__") {
                        self.names.open = true;
                    }
                    self.names.open_modules |= name == "sys.modules";
                }
            },
            Expr::Name(name) => self.define(name.id.as_str()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|one| self.check_target(one)),
            Expr::List(list) => list.elts.iter().for_each(|one| self.check_target(one)),
            Expr::Starred(starred) => self.check_target(&starred.value),
            Expr::Attribute(attribute) if attribute.attr.as_str() == "__path__" => {
                self.names.open_modules = true;
            }
            _ => {}
        }
    }
}

impl<'ast> Visitor<'ast> for Collector<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            Stmt::FunctionDef(function) => {
                self.define(function.name.as_str());
                // A function may write to the module: only its `global`s and calls matter.
                let outer = std::mem::replace(&mut self.in_function, true);
                walk_stmt(self, statement);
                self.in_function = outer;
                return;
            }
            Stmt::ClassDef(class) => {
                self.define(class.name.as_str());
                let outer = std::mem::replace(&mut self.in_function, true);
                walk_stmt(self, statement);
                self.in_function = outer;
                return;
            }
            Stmt::Global(global) => {
                for name in &global.names {
                    self.names.defined.insert(name.to_string());
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name);
                    let top = bound.split('.').next().unwrap_or_default();
                    self.define(top);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        let module = import.module.as_ref().map(ToString::to_string);
                        self.names.stars.push((import.level, module));
                    } else {
                        self.define(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
                    }
                }
            }
            Stmt::Assign(assign) => assign.targets.iter().for_each(|one| self.check_target(one)),
            Stmt::AnnAssign(assign) if assign.value.is_some() => self.check_target(&assign.target),
            Stmt::AugAssign(assign) => self.check_target(&assign.target),
            Stmt::For(repeat) => self.check_target(&repeat.target),
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(bound) = &item.optional_vars {
                        self.check_target(bound);
                    }
                }
            }
            Stmt::If(branch) => {
                let test = dotted(&branch.test).unwrap_or_default();
                if test == "TYPE_CHECKING" || test == "typing.TYPE_CHECKING" {
                    for clause in &branch.elif_else_clauses {
                        clause.body.iter().for_each(|one| self.visit_stmt(one));
                    }
                    return;
                }
            }
            Stmt::TypeAlias(alias) => self.check_target(&alias.name),
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Named(named) => self.check_target(&named.target),
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                if text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    self.names.offered.insert(text.to_owned());
                }
            }
            Expr::Call(call) => {
                let name = dotted(&call.func).unwrap_or_default();
                let last = name.rsplit('.').next().unwrap_or_default();
                // `setattr` inside a class or function mostly isn't about the module; `globals`,
                // `exec` and `sys.modules` nearly always are.
                let writes = matches!(last, "globals" | "exec" | "extend_path" | "attach")
                    || (last == "setattr" && !self.in_function)
                    || (last == "vars" && call.arguments.args.is_empty())
                    || name.starts_with("sys.modules.");
                self.names.open |= writes;
                self.names.open_modules |= name.starts_with("sys.modules.")
                    || name.starts_with("__path__.")
                    || matches!(last, "extend_path" | "exec");
            }
            _ => {}
        }
        walk_expr(self, expression);
    }

    fn visit_pattern(&mut self, _pattern: &'ast Pattern) {
        // A name that only a pattern binds is nothing to import.
    }
}
