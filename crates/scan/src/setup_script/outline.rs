//! Which names a script binds and uses, and where it calls `setup`.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, ExceptHandler, Expr, ExprCall, ExprContext, Identifier, Operator, Parameter, Pattern,
    Stmt,
};
use ruff_text_size::{Ranged as _, TextRange};
use rustc_hash::FxHashMap;

use crate::parse::dotted;

/// The commands of setuptools that write metadata.
const METADATA_COMMANDS: [&str; 2] = ["egg_info", "dist_info"];

/// Names and calls of a script, of all its scopes together.
#[derive(Default)]
pub(super) struct Outline<'ast> {
    calls: Vec<&'ast ExprCall>,
    bound: FxHashMap<&'ast str, usize>,
    /// How often `setup` comes from setuptools or distutils.
    imported: usize,
    /// Where a name stands so that what it names could be changed or handed on.
    used: FxHashMap<&'ast str, Vec<TextRange>>,
}

impl<'ast> Outline<'ast> {
    pub(super) fn of(body: &'ast [Stmt]) -> Self {
        let mut outline = Self::default();
        outline.visit_body(body);
        outline
    }

    /// The one call of `setup`, if that is surely setuptools' own.
    pub(super) fn setup_call(&self) -> Option<&'ast ExprCall> {
        let [call] = self.calls.as_slice() else {
            return None;
        };
        let is_own = match dotted(&call.func)?.as_str() {
            "setup" => self.imported > 0 && self.bound.get("setup") == Some(&self.imported),
            "setuptools.setup" => self.is_bound_once("setuptools"),
            _ => false,
        };
        is_own.then_some(call)
    }

    pub(super) fn is_bound_once(&self, name: &str) -> bool {
        self.bound.get(name) == Some(&1)
    }

    /// The places where a name is used in another way than to be read.
    pub(super) fn uses(&self, name: &str) -> impl Iterator<Item = &TextRange> {
        self.used.get(name).into_iter().flatten()
    }

    fn bind(&mut self, name: &'ast str) {
        *self.bound.entry(name).or_default() += 1;
    }

    fn import(&mut self, module: &str, alias: &'ast Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        // `import a.b` binds `a`.
        let name = name.split('.').next().unwrap_or(name);
        let is_own = matches!(module, "setuptools" | "distutils.core");
        self.imported += usize::from(is_own && name == "setup" && alias.name.as_str() == "setup");
        self.bind(name);
    }

    /// An operand that is read and stays what it is.
    fn read(&mut self, operand: &'ast Expr) {
        if !operand.is_name_expr() {
            self.visit_expr(operand);
        }
    }
}

impl<'ast> Visitor<'ast> for Outline<'ast> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.bind(function.name.as_str()),
            Stmt::ClassDef(class) => self.bind(class.name.as_str()),
            Stmt::Import(import) => import.names.iter().for_each(|it| self.import("", it)),
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                let module = if import.level == 0 { module } else { "" };
                import.names.iter().for_each(|it| self.import(module, it));
            }
            Stmt::For(repeat) if repeat.iter.is_name_expr() => {
                self.visit_expr(&repeat.target);
                self.visit_body(&repeat.body);
                self.visit_body(&repeat.orelse);
                return;
            }
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Name(name) if name.ctx == ExprContext::Load => {
                let used = self.used.entry(name.id.as_str()).or_default();
                used.push(expression.range());
            }
            Expr::Name(name) => self.bind(name.id.as_str()),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                self.read(&sum.left);
                self.read(&sum.right);
            }
            Expr::Starred(starred) if starred.ctx == ExprContext::Load => self.read(&starred.value),
            Expr::Call(call) => {
                if dotted(&call.func).is_some_and(|name| name.rsplit('.').next() == Some("setup")) {
                    self.calls.push(call);
                }
                visitor::walk_expr(self, expression);
            }
            _ => visitor::walk_expr(self, expression),
        }
    }

    fn visit_parameter(&mut self, parameter: &'ast Parameter) {
        self.bind(parameter.name.as_str());
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'ast ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name.as_str());
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'ast Pattern) {
        let name = match pattern {
            Pattern::MatchStar(it) => it.name.as_ref(),
            Pattern::MatchAs(it) => it.name.as_ref(),
            Pattern::MatchMapping(it) => it.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str());
        }
        visitor::walk_pattern(self, pattern);
    }
}

/// Whether the value of `cmdclass` replaces a command that writes metadata.
pub(super) fn names_a_metadata_command(value: &Expr) -> bool {
    struct Names(bool);
    impl<'ast> Visitor<'ast> for Names {
        fn visit_expr(&mut self, expression: &'ast Expr) {
            if let Expr::StringLiteral(text) = expression {
                self.0 |= METADATA_COMMANDS.contains(&text.value.to_str());
            }
            visitor::walk_expr(self, expression);
        }
        fn visit_keyword(&mut self, keyword: &'ast ruff_python_ast::Keyword) {
            let name = keyword.arg.as_ref().map(Identifier::as_str);
            self.0 |= name.is_some_and(|name| METADATA_COMMANDS.contains(&name));
            visitor::walk_keyword(self, keyword);
        }
    }
    let mut names = Names(false);
    names.visit_expr(value);
    names.0
}
