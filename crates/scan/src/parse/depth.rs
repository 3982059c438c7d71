//! How deep the parser and those who walk its tree would have to go for a text: they are recursive,
//! and files are strangers'.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// The deepest nesting that is parsed: of blocks, brackets, and operators that bind what the ones
/// before them made. A thread has room for it, unoptimised too.
const LIMIT: usize = 256;

/// Whether a text nests deeper than [`LIMIT`]. What doesn't nest may be counted too (`a and b`): an
/// expression so long is as good as none.
pub(super) fn is_too_deep(text: &str) -> bool {
    let mut depth = Depth::default();
    let mut lexer = lexer::lex(text, Mode::Module);
    loop {
        let kind = lexer.next_token();
        if kind == TokenKind::EndOfFile {
            return false;
        }
        depth.take(kind);
        if depth.total() > LIMIT {
            return true;
        }
    }
}

#[derive(Default)]
struct Depth {
    blocks: usize,
    /// The operators so far in the expression, and in those around it.
    links: usize,
    around: Vec<usize>,
    sum_around: usize,
}

impl Depth {
    fn total(&self) -> usize {
        self.blocks + self.links + self.sum_around
    }

    fn take(&mut self, kind: TokenKind) {
        match kind {
            TokenKind::Indent => self.blocks += 1,
            TokenKind::Dedent => self.blocks = self.blocks.saturating_sub(1),
            TokenKind::Newline => {
                (self.links, self.sum_around) = (0, 0);
                self.around.clear();
            }
            TokenKind::Comma | TokenKind::Semi => self.links = 0,
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                self.sum_around += self.links + 1;
                self.around.push(self.links + 1);
                self.links = 0;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                self.links = self.around.pop().unwrap_or_default();
                self.sum_around = self.sum_around.saturating_sub(self.links);
            }
            operand if is_operand(operand) => {}
            _ => self.links += 1,
        }
    }
}

fn is_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Ellipsis
            | TokenKind::True
            | TokenKind::False
            | TokenKind::None
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
    )
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// A repeated piece, and what stands before and behind all.
    const CHAINS: [(&str, &str, &str); 19] = [
        ("x = a", "+a", ""),
        ("x = a", ".a", ""),
        ("x = a", "()", ""),
        ("x = a", "(1, 2)", ""),
        ("x = a", "[0]", ""),
        ("x = a", " if a else a", ""),
        ("x = ", "not ", "a"),
        ("x = ", "-", "a"),
        ("x = ", "lambda: ", "a"),
        ("x = ", "lambda: (", "a"),
        ("x = a", "**a", ""),
        ("x = ", "await ", "a"),
        ("x = ", "yield ", "a"),
        ("x = ", "*", "a"),
        ("x = a", " | a.b", ""),
        ("x = ", "(", "a"),
        ("x = ", "{1: [", "a"),
        ("x = ", "f'{", "1"),
        ("(", "x := ", "1)"),
    ];

    #[test]
    fn no_text_takes_more_than_the_stack_has() {
        let run = || {
            for (before, piece, behind) in CHAINS {
                for count in [100, 250, 1_000, 50_000] {
                    parse(format!("{before}{}{behind}\n", piece.repeat(count)).as_bytes());
                }
            }
            for count in [100, 250, 5_000] {
                let blocks = (0..count).map(|depth| format!("{}if a:\n", " ".repeat(depth)));
                parse(format!("{}{}b\n", blocks.collect::<String>(), " ".repeat(count)).as_bytes());
            }
        };
        // What a thread has as a rule. The first one of Windows has half of it; that is enough for an
        // optimised program.
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn long_is_not_deep() {
        let list = format!("x = [{}]\n", "-1, 'a (b', (2, 3), ".repeat(50_000));
        assert!(parse(list.as_bytes()).is_some());
        let text = format!("'''{}'''\n", "((not (".repeat(1_000));
        assert!(parse(text.as_bytes()).is_some());
        assert!(parse("a.b(c)\n".repeat(10_000).as_bytes()).is_some());
        let deep = format!("x = {}1{}\n", "(".repeat(150), ")".repeat(150));
        assert!(parse(deep.as_bytes()).is_some());
    }
}
