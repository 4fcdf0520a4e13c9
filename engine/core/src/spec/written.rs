//! Values as written: [`Node`] → [`Written`], in which every `${ }` is a read [`Expr`].
//! It does not know names or types.

use serde_json::{Map, Value};

use super::node::{Node, Scalar, Style, What};
use super::report::{Issue, Report};
use super::source::{Sources, Span};
use super::syntax::{Expr, Origin, Path, Syntax, expression};

/// A value, possibly with references in it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub span: Span,
    pub what: Form,
}

/// What a [`Written`] is.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A scalar without references.
    Literal(Value),
    /// A single `${ … }`.
    Expr(Box<Expr>),
    /// Text around references.
    Text(Vec<Part>),
    List(Vec<Written>),
    Map(Vec<(String, Span, Written)>),
    /// Could not be read; the problem was told.
    Broken,
}

/// A piece of a text with references.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Expr(Expr),
}

impl Written {
    /// The string, if it is one without references.
    pub(super) fn string(&self) -> Option<&str> {
        match &self.what {
            Form::Literal(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// As plain data, if there is no reference anywhere in it.
    pub(super) fn plain(&self) -> Option<Value> {
        match &self.what {
            Form::Literal(value) => Some(value.clone()),
            Form::List(items) => items
                .iter()
                .map(Self::plain)
                .collect::<Option<Vec<_>>>()
                .map(Value::Array),
            Form::Map(entries) => entries
                .iter()
                .map(|(key, _, value)| Some((key.clone(), value.plain()?)))
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object),
            Form::Expr(_) | Form::Text(_) | Form::Broken => None,
        }
    }

    /// Shows every path of every expression inside, with the place of the whole path.
    pub(super) fn each_path(&self, see: &mut impl FnMut(&Path, Span)) {
        match &self.what {
            Form::Literal(_) | Form::Broken => {}
            Form::Expr(expr) => each_path(expr, see),
            Form::Text(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        each_path(expr, see);
                    }
                }
            }
            Form::List(items) => items.iter().for_each(|item| item.each_path(see)),
            Form::Map(entries) => entries
                .iter()
                .for_each(|(_, _, value)| value.each_path(see)),
        }
    }
}

fn each_path(expr: &Expr, see: &mut impl FnMut(&Path, Span)) {
    match &expr.what {
        Syntax::Literal(_) => {}
        Syntax::Path(path) => see(path, expr.span),
        Syntax::Not(inner) | Syntax::Minus(inner) => each_path(inner, see),
        Syntax::Binary(_, left, right) => {
            each_path(left, see);
            each_path(right, see);
        }
        Syntax::Call { args, .. } => args.iter().for_each(|arg| each_path(arg, see)),
    }
}

/// Reads the references in a node.
pub(super) fn written(sources: &Sources, report: &mut Report, node: &Node) -> Written {
    let what = match &node.what {
        What::Scalar(scalar) => text(sources, report, node, scalar),
        What::List(items) => Form::List(
            items
                .iter()
                .map(|item| written(sources, report, item))
                .collect(),
        ),
        What::Map(entries) => Form::Map(
            entries
                .iter()
                .map(|entry| {
                    let value = written(sources, report, &entry.node);
                    (entry.key.clone(), entry.at, value)
                })
                .collect(),
        ),
    };
    Written {
        span: node.span,
        what,
    }
}

fn text(sources: &Sources, report: &mut Report, node: &Node, scalar: &Scalar) -> Form {
    if !scalar.text.contains("${") {
        return Form::Literal(node.value());
    }
    let source = sources.slice(node.span);
    let found = references(&scalar.text, source);
    let mut parts: Vec<Part> = Vec::with_capacity(1);
    let mut broken = false;
    let mut done = 0;
    for reference in &found {
        push(&mut parts, &scalar.text[done..reference.start]);
        done = reference.end;
        let Some(inner) = &reference.inner else {
            push(&mut parts, "${");
            continue;
        };
        let origin = match reference.place {
            Some(at) => {
                let first = node.span.start as usize + at + 2;
                Origin::At(Span::new(node.span.file, first, first))
            }
            None => Origin::Whole(node.span),
        };
        let Ok(inner) = inner else {
            let issue = Issue::error(
                "expr::syntax",
                node.span,
                "not closed",
                "`${` without a `}`",
            );
            report.add(issue.help("write `$${` where a literal `${` is meant"));
            return Form::Broken;
        };
        match expression(inner, origin) {
            Ok(expr) => parts.push(Part::Expr(expr)),
            Err((span, fault)) => {
                let issue = Issue::error("expr::syntax", span, "here", fault.message);
                report.add(issue.help(fault.help));
                broken = true;
            }
        }
    }
    push(&mut parts, &scalar.text[done..]);
    if broken {
        return Form::Broken;
    }
    if scalar.style == Style::Block
        && matches!(&parts[..], [Part::Expr(_), Part::Text(end)] if end.trim().is_empty())
    {
        parts.pop();
    }
    match &mut parts[..] {
        [Part::Expr(_)] => match parts.pop() {
            Some(Part::Expr(expr)) => Form::Expr(Box::new(expr)),
            _ => Form::Broken,
        },
        [Part::Text(text)] => Form::Literal(Value::String(std::mem::take(text))),
        _ => Form::Text(parts),
    }
}

fn push(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// A `${ … }` or `$${` found in a text.
pub(super) struct Found<'t> {
    /// Bytes in the text, from the first `$` to after the `}`.
    pub start: usize,
    pub end: usize,
    /// What stands inside; an error if it is not closed; none for the escape `$${`.
    pub inner: Option<Result<&'t str, ()>>,
    /// Where the `${` stands in the source of the scalar, if the source has the same bytes there.
    pub place: Option<usize>,
}

/// Finds the references of a scalar. Folding, indentation and escapes move bytes between the source and
/// the text, but keep the order of every `${`, so the k-th of one is the k-th of the other.
pub(super) fn references<'t>(text: &'t str, source: &str) -> Vec<Found<'t>> {
    let mut places = source.match_indices("${").map(|(at, _)| at);
    let mut found = Vec::with_capacity(1);
    let mut at = 0;
    while let Some(next) = text[at..].find("${") {
        let start = at + next;
        let place = places.next();
        if text[..start].ends_with('$') && start > at {
            found.push(Found {
                start: start - 1,
                end: start + 2,
                inner: None,
                place,
            });
            at = start + 2;
            continue;
        }
        let Some(length) = close(&text[start + 2..]) else {
            found.push(Found {
                start,
                end: text.len(),
                inner: Some(Err(())),
                place,
            });
            break;
        };
        let end = start + 2 + length + 1;
        let inner = &text[start + 2..end - 1];
        let same = |at: &usize| source.get(*at..*at + (end - start)) == Some(&text[start..end]);
        // References do not nest, so each inner `${` is an error of the expression; skip its place.
        inner.match_indices("${").for_each(|_| {
            places.next();
        });
        found.push(Found {
            start,
            end,
            inner: Some(Ok(inner)),
            place: place.filter(same),
        });
        at = end;
    }
    found
}

/// The bytes before the closing brace; quotes may hold braces.
fn close(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '}' => return Some(at),
            None if c == '\'' || c == '"' => quote = Some(c),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inners(text: &str) -> Vec<Option<&str>> {
        let keep = |found: Found<'static>| found.inner.map(|inner| inner.unwrap_or("unclosed"));
        references(Box::leak(text.to_owned().into_boxed_str()), text)
            .into_iter()
            .map(keep)
            .collect()
    }

    #[test]
    fn braces_in_quotes_do_not_close_a_reference() {
        assert_eq!(inners("a ${x == '}'} b"), [Some("x == '}'")]);
    }

    #[test]
    fn two_dollars_are_a_literal_reference() {
        assert_eq!(inners("$${x} ${y}"), [None, Some("y")]);
    }

    #[test]
    fn an_open_reference_is_found() {
        assert_eq!(inners("a ${x"), [Some("unclosed")]);
    }
}
