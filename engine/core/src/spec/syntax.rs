//! The grammar of what stands inside `${ }`: text → [`Expr`], names not yet resolved, every part
//! with its place. It does not know types.

use serde_json::Value;

use super::source::Span;
use super::token::{Fault, Token, Word, is_name, tokens};
use super::{Binary, Step};

/// An expression as written.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub span: Span,
    pub what: Syntax,
}

/// What an [`Expr`] is.
#[derive(Clone, Debug)]
pub(super) enum Syntax {
    Literal(Value),
    Path(Path),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Call {
        name: String,
        at: Span,
        args: Vec<Expr>,
    },
}

/// A name and what follows it.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub head: String,
    pub at: Span,
    pub steps: Vec<(Step, Span)>,
}

/// Where the text of an expression stands in its file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// Byte for byte from here.
    At(Span),
    /// Escapes or folds changed it, so every part points at the whole.
    Whole(Span),
}

impl Origin {
    fn span(self, start: usize, end: usize) -> Span {
        match self {
            Self::At(base) => {
                let first = base.start as usize;
                Span::new(base.file, first + start, first + end)
            }
            Self::Whole(span) => span,
        }
    }
}

/// Operators and calls of one expression.
const MOST_PARTS: usize = 256;

/// Brackets and signs inside each other.
const MOST_LEVELS: usize = 48;

/// Reads an expression.
///
/// # Errors
/// The message, its place and what to do.
pub(super) fn expression(text: &str, origin: Origin) -> Result<Expr, (Span, Fault)> {
    if let Some(expr) = plain_path(text, origin) {
        return Ok(expr);
    }
    let place = |fault: Fault| (origin.span(fault.start, fault.end), fault);
    let tokens = tokens(text).map_err(place)?;
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        origin,
        parts: 0,
        level: 0,
    };
    let expr = reader.binary(0).map_err(place)?;
    match reader.peek() {
        Word::End => Ok(expr),
        _ => Err(place(reader.unexpected("an operator"))),
    }
}

/// `a.b.c`, which nearly every expression is, without cutting it into tokens.
fn plain_path(text: &str, origin: Origin) -> Option<Expr> {
    let mut names = text.split('.');
    let head = names.next()?;
    if !is_name(head) || RESERVED.contains(&head) {
        return None;
    }
    let mut end = head.len();
    let mut steps = Vec::with_capacity(1);
    for name in names {
        if !is_name(name) || RESERVED.contains(&name) || steps.len() > MOST_LEVELS {
            return None;
        }
        let start = end + 1;
        end = start + name.len();
        steps.push((Step::Field(name.to_owned()), origin.span(start, end)));
    }
    let at = origin.span(0, head.len());
    Some(Expr {
        span: at.to(origin.span(0, end)),
        what: Syntax::Path(Path {
            head: head.to_owned(),
            at,
            steps,
        }),
    })
}

/// Words that are no names in an expression.
const RESERVED: &[&str] = &["true", "false", "null", "in", "and", "or", "not"];

/// Operators by how tightly they bind, loosest first.
const LEVELS: &[&[(&str, Binary)]] = &[
    &[("||", Binary::Or)],
    &[("&&", Binary::And)],
    &[
        ("==", Binary::Equal),
        ("!=", Binary::NotEqual),
        ("<=", Binary::LessOrEqual),
        (">=", Binary::GreaterOrEqual),
        ("<", Binary::Less),
        (">", Binary::Greater),
        ("in", Binary::In),
    ],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide)],
];

/// An operator as it is written.
pub(super) fn spelling(operator: Binary) -> &'static str {
    LEVELS
        .iter()
        .flat_map(|level| level.iter())
        .find(|(_, known)| *known == operator)
        .map_or("?", |(text, _)| text)
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    origin: Origin,
    parts: usize,
    level: usize,
}

impl Reader<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Word {
        &self.token().what
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Word::Symbol(found) if *found == symbol)
    }

    fn next(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    fn expect(&mut self, symbol: &'static str) -> Result<Token, Fault> {
        if self.is(symbol) {
            Ok(self.next())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let token = self.token();
        let found = match &token.what {
            Word::End => "the end".to_owned(),
            Word::Symbol(symbol) => format!("`{symbol}`"),
            Word::Name(name) => format!("`{name}`"),
            Word::Literal(value) => format!("`{value}`"),
        };
        Fault::new(
            token.start,
            token.end,
            format!("expected {wanted}, found {found}"),
        )
    }

    fn grow(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            let token = self.token();
            let message = format!("an expression has at most {MOST_PARTS} parts");
            return Err(Fault::new(token.start, token.end, message));
        }
        Ok(())
    }

    fn binary(&mut self, level: usize) -> Result<Expr, Fault> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            let found = operators.iter().find(|(symbol, _)| self.is(symbol));
            let Some((_, operator)) = found else {
                return Ok(left);
            };
            self.grow()?;
            self.next();
            let right = self.binary(level + 1)?;
            left = Expr {
                span: left.span.to(right.span),
                what: Syntax::Binary(*operator, Box::new(left), Box::new(right)),
            };
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        self.grow()?;
        self.level += 1;
        if self.level > MOST_LEVELS {
            let token = self.token();
            return Err(Fault::new(
                token.start,
                token.end,
                format!("an expression is nested at most {MOST_LEVELS} deep"),
            ));
        }
        let expr = if self.is("!") || self.is("-") {
            let sign = self.next();
            let inner = self.unary()?;
            let span = self.origin.span(sign.start, sign.end).to(inner.span);
            let what = match (sign.what, &inner.what) {
                (Word::Symbol("!"), _) => Syntax::Not(Box::new(inner)),
                (_, Syntax::Literal(Value::Number(number))) => Syntax::Literal(negative(number)),
                _ => Syntax::Minus(Box::new(inner)),
            };
            Expr { span, what }
        } else {
            self.atom()?
        };
        self.level -= 1;
        Ok(expr)
    }

    fn atom(&mut self) -> Result<Expr, Fault> {
        let token = self.next();
        let span = self.origin.span(token.start, token.end);
        match token.what {
            Word::Literal(value) => Ok(Expr {
                span,
                what: Syntax::Literal(value),
            }),
            Word::Symbol("(") => {
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Word::Symbol("[") => self.list(span),
            Word::Name(name) if self.is("(") => self.call(name, span),
            Word::Name(head) => self.path(head, span),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    /// `[1, 2]`: a list of literals.
    fn list(&mut self, open: Span) -> Result<Expr, Fault> {
        let mut values = Vec::new();
        while !self.is("]") {
            let token = self.token();
            let (start, end) = (token.start, token.end);
            let item = self.unary()?;
            let Syntax::Literal(value) = item.what else {
                return Err(Fault::new(
                    start,
                    end,
                    "a list inside `${ }` holds literals",
                ));
            };
            values.push(value);
            if !self.is("]") {
                self.expect(",")?;
            }
        }
        let close = self.next();
        Ok(Expr {
            span: open.to(self.origin.span(close.start, close.end)),
            what: Syntax::Literal(Value::Array(values)),
        })
    }

    fn call(&mut self, name: String, at: Span) -> Result<Expr, Fault> {
        self.expect("(")?;
        let mut args = Vec::new();
        while !self.is(")") {
            args.push(self.binary(0)?);
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        let close = self.next();
        Ok(Expr {
            span: at.to(self.origin.span(close.start, close.end)),
            what: Syntax::Call { name, at, args },
        })
    }

    fn path(&mut self, head: String, at: Span) -> Result<Expr, Fault> {
        let mut steps = Vec::new();
        let mut span = at;
        loop {
            if steps.len() > MOST_LEVELS {
                let token = self.token();
                return Err(Fault::new(token.start, token.end, "this path is too long"));
            }
            let (step, last) = if self.is(".") {
                self.next();
                let field = self.next();
                let Word::Name(name) = field.what.clone() else {
                    self.at -= 1;
                    return Err(self.unexpected("a name after `.`"));
                };
                (Step::Field(name), field)
            } else if self.is("[") {
                self.next();
                let step = self.index()?;
                (step, self.expect("]")?)
            } else {
                break;
            };
            let at = self.origin.span(last.start, last.end);
            span = span.to(at);
            steps.push((step, at));
        }
        Ok(Expr {
            span,
            what: Syntax::Path(Path { head, at, steps }),
        })
    }

    fn index(&mut self) -> Result<Step, Fault> {
        if self.is("*") {
            self.next();
            return Ok(Step::Each);
        }
        let minus = self.is("-");
        if minus {
            self.next();
        }
        let token = self.next();
        match &token.what {
            Word::Literal(Value::String(key)) if !minus => Ok(Step::Field(key.clone())),
            Word::Literal(Value::Number(number)) if number.as_i64().is_some() => {
                let index = number.as_i64().unwrap_or_default();
                Ok(Step::Index(if minus { -index } else { index }))
            }
            _ => {
                self.at -= 1;
                Err(self.unexpected("a whole number, a quoted key or `*`"))
            }
        }
    }
}

fn negative(number: &serde_json::Number) -> Value {
    match number.as_i64() {
        Some(whole) => whole.checked_neg().map_or(Value::Null, Value::from),
        None => number
            .as_f64()
            .map_or(Value::Null, |float| Value::from(-float)),
    }
}
