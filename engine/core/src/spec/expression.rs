//! Expressions of the language after names were resolved: what stands inside `${ }`, and the values
//! that hold them.

use std::path::PathBuf;

use kyobashi_stage::Type;
use serde_json::Value;

use super::StageId;

/// A value as written in the spec, possibly with references in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// No reference inside.
    Literal(Value),
    /// A file or folder beside the spec, hashed by content. Joined to the folder of the file that
    /// wrote it, not made canonical.
    Path(PathBuf, Type),
    /// A single `${ … }`.
    Expression(Expression),
    /// Text around references; the result is a string.
    Text(Vec<TextPart>),
    List(Vec<Template>),
    Map(Vec<(String, Template)>),
}

/// A piece of a text with references.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    Text(String),
    Expression(Expression),
}

/// What stands inside `${ }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Literal(Value),
    Reference(Reference),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

/// A resolved name and the path into its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    pub root: Root,
    pub steps: Vec<Step>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    Param(String),
    /// A role of `models:`.
    Model(String),
    /// An input of the component around.
    Input(String),
    /// A matrix axis or the variable of a `foreach`, by name; the innermost wins.
    Variable(String),
    /// A carried value of the `repeat` around; the innermost wins.
    Carry(String),
    /// An output of a stage of this scope or of a scope around.
    Output(StageId, String),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Field(String),
    Index(i64),
    /// `[*]`: map over a list.
    Each,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    In,
    And,
    Or,
}

/// A pure function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Len,
    Range,
    Min,
    Max,
    Mean,
    Round,
    Contains,
    StartsWith,
    EndsWith,
    Lower,
    Slug,
    If,
    /// `default(x, y)`: x, or y where x is absent or its stage was skipped.
    Default,
    Concat,
}
