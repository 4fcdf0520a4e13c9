//! Arithmetic over references: `+ - * /`, parentheses, `min max abs`. A reference with other signs in
//! it than letters, digits, `_` and `.` is written in double quotes. (The crates looked at were under
//! AGPL or without a release for years, and take no dots in names.)

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Reference(String),
    Negative(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Min,
    Max,
    Abs,
}

/// Deeper nesting than this is refused, so that the parser cannot exhaust the stack.
const DEEPEST: usize = 64;

impl Expression {
    /// # Errors
    /// A lower-case fragment.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, at: 0 };
        let expression = parser.sum(0)?;
        match parser.tokens.get(parser.at) {
            None => Ok(expression),
            Some(token) => Err(format!("unexpected {}", token.name())),
        }
    }

    /// The references in the order in which they are written.
    pub(crate) fn references(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Reference(path) => vec![path],
            Self::Negative(inner) => inner.references(),
            Self::Binary(a, _, b) => [a.references(), b.references()].concat(),
            Self::Call(_, args) => args.iter().flat_map(Self::references).collect(),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// What `look` refused, or a division by zero.
    pub(crate) fn value<E: From<String>>(
        &self,
        look: &mut dyn FnMut(&str) -> Result<f64, E>,
    ) -> Result<f64, E> {
        let value = match self {
            Self::Number(value) => *value,
            Self::Reference(path) => look(path)?,
            Self::Negative(inner) => -inner.value(look)?,
            Self::Binary(a, operator, b) => {
                let (a, b) = (a.value(look)?, b.value(look)?);
                match operator {
                    Operator::Plus => a + b,
                    Operator::Minus => a - b,
                    Operator::Times => a * b,
                    Operator::Over if b == 0.0 => {
                        return Err(E::from("the expression divides by zero".to_owned()));
                    }
                    Operator::Over => a / b,
                }
            }
            Self::Call(function, args) => {
                let values = args
                    .iter()
                    .map(|arg| arg.value(look))
                    .collect::<Result<Vec<f64>, E>>()?;
                let first = values.first().copied().unwrap_or(0.0);
                match function {
                    Function::Abs => first.abs(),
                    Function::Min => values.into_iter().fold(first, f64::min),
                    Function::Max => values.into_iter().fold(first, f64::max),
                }
            }
        };
        if value.is_finite() {
            Ok(value)
        } else {
            Err(E::from("the expression has no finite value".to_owned()))
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Quoted(String),
    Sign(char),
}

impl Token {
    fn name(&self) -> String {
        match self {
            Self::Number(value) => format!("number {value}"),
            Self::Name(name) | Self::Quoted(name) => format!("`{name}`"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else if c.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            let value = rest[..end]
                .parse()
                .map_err(|_| format!("`{}` is not a number", &rest[..end]))?;
            out.push(Token::Number(value));
            end
        } else if c.is_alphabetic() || c == '_' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(rest.len());
            out.push(Token::Name(rest[..end].to_owned()));
            end
        } else if c == '"' {
            let end = rest[1..]
                .find('"')
                .ok_or("a quotation mark is not closed")?;
            out.push(Token::Quoted(rest[1..=end].to_owned()));
            end + 2
        } else if "+-*/(),".contains(c) {
            out.push(Token::Sign(c));
            1
        } else if c == '\u{2212}' {
            out.push(Token::Sign('-'));
            c.len_utf8()
        } else {
            return Err(format!("unexpected `{c}`"));
        };
        rest = &rest[length..];
    }
    Ok(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn take(&mut self, signs: &[char]) -> Option<char> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if signs.contains(sign) => {
                self.at += 1;
                Some(*sign)
            }
            _ => None,
        }
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.product(depth)?;
        while let Some(sign) = self.take(&['+', '-']) {
            let operator = if sign == '+' {
                Operator::Plus
            } else {
                Operator::Minus
            };
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product(depth)?));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.factor(depth)?;
        while let Some(sign) = self.take(&['*', '/']) {
            let operator = if sign == '*' {
                Operator::Times
            } else {
                Operator::Over
            };
            left = Expression::Binary(Box::new(left), operator, Box::new(self.factor(depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEEPEST {
            return Err("the expression is nested too deeply".to_owned());
        }
        if self.take(&['-']).is_some() {
            return Ok(Expression::Negative(Box::new(self.factor(depth + 1)?)));
        }
        if self.take(&['(']).is_some() {
            let inner = self.sum(depth + 1)?;
            return match self.take(&[')']) {
                Some(_) => Ok(inner),
                None => Err("a parenthesis is not closed".to_owned()),
            };
        }
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Number(value)) => Ok(Expression::Number(value)),
            Some(Token::Quoted(path)) => Ok(Expression::Reference(path)),
            Some(Token::Name(name)) => match self.take(&['(']) {
                Some(_) => self.call(&name, depth + 1),
                None => Ok(Expression::Reference(name)),
            },
            Some(other) => Err(format!("unexpected {}", other.name())),
            None => Err("the expression ends too early".to_owned()),
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Result<Expression, String> {
        let function = match name {
            "min" => Function::Min,
            "max" => Function::Max,
            "abs" => Function::Abs,
            other => {
                return Err(format!(
                    "unknown function `{other}` (min, max and abs are known)"
                ));
            }
        };
        let mut args = vec![self.sum(depth)?];
        while self.take(&[',']).is_some() {
            args.push(self.sum(depth)?);
        }
        if self.take(&[')']).is_none() {
            return Err("a parenthesis is not closed".to_owned());
        }
        if function == Function::Abs && args.len() != 1 {
            return Err("`abs` takes one value".to_owned());
        }
        Ok(Expression::Call(function, args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<f64, String> {
        Expression::read(text)?.value(&mut |path| match path {
            "a.b" => Ok(2.0),
            "c/0.1" => Ok(5.0),
            other => Err(format!("no {other}")),
        })
    }

    #[test]
    fn expressions_follow_the_usual_precedence() {
        assert_eq!(value("1 + a.b * 3").unwrap(), 7.0);
        assert_eq!(value("(1 + a.b) * 3 - -1").unwrap(), 10.0);
        assert_eq!(value("8 / a.b / 2").unwrap(), 2.0);
        assert_eq!(value("max(a.b, \"c/0.1\", 3) - min(1, a.b)").unwrap(), 4.0);
        assert_eq!(value("abs(a.b - 10)").unwrap(), 8.0);
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        for text in [
            "1 +",
            "(1",
            "a.b / 0",
            "1 2",
            "sqrt(2)",
            "a ^ b",
            "abs(1, 2)",
            "",
            "x",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
        assert!(value(&"(".repeat(100_000)).is_err());
        assert!(value(&"-".repeat(100_000)).is_err());
    }
}
