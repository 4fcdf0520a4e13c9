//! Expressions as people write them, from their checked form: what `kyo plan` and `kyo check --types`
//! quote. Spaces and brackets may differ from the file; the meaning does not.

use serde_json::Value;

use super::check;
use super::syntax::spelling;
use super::{Expression, Reference, Root, Spec, Step, Template, TextPart};

impl Spec {
    /// A value as it could be written in the file.
    #[must_use]
    pub fn said(&self, template: &Template) -> String {
        match template {
            Template::Literal(Value::String(text)) => text.clone(),
            Template::Literal(value) => value.to_string(),
            Template::Path(path, _) => path.display().to_string(),
            Template::Expression(inner) => format!("${{{}}}", self.expression(inner)),
            Template::Text(parts) => {
                let part = |part: &TextPart| match part {
                    TextPart::Text(text) => text.clone(),
                    TextPart::Expression(inner) => format!("${{{}}}", self.expression(inner)),
                };
                parts.iter().map(part).collect()
            }
            Template::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.said(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Template::Map(fields) => {
                let field =
                    |(name, value): &(String, Template)| format!("{name}: {}", self.said(value));
                let fields: Vec<_> = fields.iter().map(field).collect();
                format!("{{{}}}", fields.join(", "))
            }
        }
    }

    /// What stands inside `${ }`.
    #[must_use]
    pub fn expression(&self, expression: &Expression) -> String {
        match expression {
            Expression::Literal(value) => value.to_string(),
            Expression::Reference(reference) => self.reference(reference),
            Expression::Not(inner) => format!("!{}", self.operand(inner)),
            Expression::Minus(inner) => format!("-{}", self.operand(inner)),
            Expression::Binary(operator, left, right) => format!(
                "{} {} {}",
                self.operand(left),
                spelling(*operator),
                self.operand(right)
            ),
            Expression::Call(function, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|one| self.expression(one)).collect();
                format!(
                    "{}({})",
                    check::function_name(*function),
                    arguments.join(", ")
                )
            }
        }
    }

    fn operand(&self, expression: &Expression) -> String {
        match expression {
            Expression::Binary(..) => format!("({})", self.expression(expression)),
            _ => self.expression(expression),
        }
    }

    fn reference(&self, reference: &Reference) -> String {
        let mut text = match &reference.root {
            Root::Param(name) => format!("params.{name}"),
            Root::Model(name) => format!("models.{name}"),
            Root::Input(name) => format!("inputs.{name}"),
            Root::Carry(name) => format!("carry.{name}"),
            Root::Variable(name) => name.clone(),
            Root::Output(stage, output) => format!("{}.{output}", self.stage(*stage).name),
        };
        for step in &reference.steps {
            match step {
                Step::Field(name) => text.push_str(&format!(".{name}")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Each => text.push_str("[*]"),
            }
        }
        text
    }
}
