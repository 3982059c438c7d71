//! Expressions to [`Term`]s.

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, Number, UnaryOp};

use crate::module::{Arguments, Comparison, Term};

/// `a.b.c` as text.
pub(crate) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            let mut text = dotted(&attribute.value)?;
            text.push('.');
            text.push_str(attribute.attr.as_str());
            Some(text)
        }
        _ => None,
    }
}

pub(super) fn term(expression: &Expr) -> Term {
    match expression {
        Expr::BooleanLiteral(literal) => Term::Bool(literal.value),
        Expr::NoneLiteral(_) => Term::None,
        Expr::StringLiteral(literal) => Term::Text(literal.value.to_str().to_owned()),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int
                .as_i64()
                .map_or(Term::Unknown, |one| Term::Numbers(vec![one])),
            _ => Term::Unknown,
        },
        Expr::Tuple(tuple) => parts(&tuple.elts),
        Expr::Name(_) | Expr::Attribute(_) => match dotted(expression) {
            Some(name) => Term::Name(name),
            None => inner_calls(expression),
        },
        Expr::Subscript(subscript) => part_of_version(&subscript.value, &subscript.slice),
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
            Term::Not(Box::new(term(&unary.operand)))
        }
        Expr::BoolOp(operation) => {
            let terms = operation.values.iter().map(term).collect();
            match operation.op {
                BoolOp::And => Term::All(terms),
                BoolOp::Or => Term::Any(terms),
            }
        }
        Expr::Compare(compare) => match (&*compare.ops, &*compare.comparators) {
            ([operator], [right]) => match comparison(*operator) {
                Some(comparison) => Term::Compare(
                    Box::new(term(&compare.left)),
                    comparison,
                    Box::new(term(right)),
                ),
                None => Term::Calls(vec![term(&compare.left), term(right)]),
            },
            _ => Term::Unknown,
        },
        Expr::Call(call) => {
            if let Some(name) = dotted(&call.func) {
                return Term::Call(name, arguments(call));
            }
            let mut terms = vec![term(&call.func)];
            terms.extend(call.arguments.args.iter().map(term));
            Term::Calls(terms)
        }
        Expr::If(choice) => Term::Calls(vec![term(&choice.test)]),
        other => inner_calls(other),
    }
}

/// `sys.version_info[0]` and `[:2]`.
fn part_of_version(value: &Expr, index: &Expr) -> Term {
    let is = |index: &Expr, number: i64| term(index) == Term::Numbers(vec![number]);
    let part = match (dotted(value).as_deref(), index) {
        (Some("sys.version_info"), Expr::Slice(slice)) if slice.lower.is_none() => {
            let pair = slice.upper.as_deref().is_some_and(|end| is(end, 2));
            pair.then_some("sys.version_info.pair")
        }
        (Some("sys.version_info"), index) if is(index, 0) => Some("sys.version_info.major"),
        (Some("sys.version_info"), index) if is(index, 1) => Some("sys.version_info.minor"),
        _ => None,
    };
    part.map_or(Term::Unknown, |part| Term::Name(part.into()))
}

/// The calls in an attribute's or operator's parts.
fn inner_calls(expression: &Expr) -> Term {
    match expression {
        Expr::Attribute(attribute) => Term::Calls(vec![term(&attribute.value)]),
        Expr::BinOp(operation) => Term::Calls(vec![term(&operation.left), term(&operation.right)]),
        Expr::Named(named) => Term::Calls(vec![term(&named.value)]),
        _ => Term::Unknown,
    }
}

fn arguments(call: &ExprCall) -> Arguments {
    let mut arguments = Arguments::default();
    for argument in &call.arguments.args {
        arguments.open |= argument.is_starred_expr();
        arguments.positional.push(term(argument));
    }
    for keyword in &call.arguments.keywords {
        match &keyword.arg {
            Some(name) => {
                let value = term(&keyword.value);
                arguments.named.push((name.to_string(), value));
            }
            None => arguments.open = true,
        }
    }
    arguments
}

/// The parts of a tuple: numbers together, or each by itself.
fn parts(elements: &[Expr]) -> Term {
    let terms: Vec<Term> = elements.iter().map(term).collect();
    let numbers = terms.iter().map(|term| match term {
        Term::Numbers(one) => match one.as_slice() {
            [number] => Some(*number),
            _ => None,
        },
        _ => None,
    });
    match numbers.collect() {
        Some(numbers) => Term::Numbers(numbers),
        None => Term::Tuple(terms),
    }
}

fn comparison(operator: CmpOp) -> Option<Comparison> {
    Some(match operator {
        CmpOp::Lt => Comparison::Less,
        CmpOp::LtE => Comparison::LessOrEqual,
        CmpOp::Gt => Comparison::Greater,
        CmpOp::GtE => Comparison::GreaterOrEqual,
        CmpOp::Eq => Comparison::Equal,
        CmpOp::NotEq => Comparison::NotEqual,
        CmpOp::Is => Comparison::Is,
        CmpOp::IsNot => Comparison::IsNot,
        CmpOp::In | CmpOp::NotIn => return None,
    })
}
