//! Compiles every command that mitex knows, because mitex lags behind Typst: what it writes for a
//! command may name a symbol that Typst renamed or never had.

use mitex::{ArgPattern, ArgShape, CommandSpecItem};

use crate::typeset::maths::convert;
use crate::typeset::print;
use crate::typeset::world::Memory;
use crate::typeset::writer::Writer;

/// Commands of documents, which a formula has no use for.
const NOT_MATHS: &[&str] = &[
    "bottomrule",
    "caption",
    "cite",
    "eqref",
    "includegraphics",
    "item",
    "midrule",
    "ref",
    "tabular",
    "textwidth",
    "toprule",
];

/// Formulas as they stand in papers on machine learning, each with something that once failed.
const FORMULAS: &[&str] = &[
    r"\mathcal{L}_{\text{total}} = \mathcal{L}_{\mathrm{rec}} + \lambda \, \mathrm{KL}\left( q_\phi(z \mid x) \,\|\, p(z) \right)",
    r"\nabla_\theta J(\theta) = \mathbb{E}_{\tau \sim \pi_\theta}\left[ \sum_{t=0}^{T} \nabla_\theta \log \pi_\theta(a_t|s_t) R(\tau) \right]",
    r"\hat{y} = \operatorname*{arg\,max}_{k \in \{1, \dots, K\}} \frac{\exp(z_k / T)}{\sum_{j=1}^{K} \exp(z_j / T)}",
    r"x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{1-\alpha_t}{\sqrt{1-\bar{\alpha}_t}} \epsilon_\theta(x_t, t) \right) + \sigma_t z",
    r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    r"f(x) = \begin{cases} x^2 & \text{if } x > 0, \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix} \begin{pmatrix} a \\ b \end{pmatrix}",
    r"\underbrace{a + b}_{\text{sum}} \overset{\text{def}}{=} \bigl( c \bigr) \xrightarrow{f} d \hbar \partial \cap \oplus \otimes \langle x, y \rangle",
    r"\mathbf{W} \in \mathbb{R}^{d \times k}, \quad \|\mathbf{W}\|_F^2 \leq C, \; \forall i \neq j: w_i^\top w_j = 0",
    r"p(\text{a} \,|\, \text{b}) \propto e^{-\beta E} \approx 10^{-3}, 5\%, \$3, \#4, \{x\}, a_{i,j}^{(k)}, x', x''",
    r"\binom{n}{k} \tfrac12 \dfrac{a}{b} \sqrt[3]{x} \bar{x} \tilde{x} \vec{v} \dot{x} \mathring{x} \lfloor x \rfloor \lceil y \rceil",
];

fn compiles(latex: &str) -> Result<(), String> {
    let source = convert(latex, &|_| String::new())?;
    let text = format!("#import \"maths.typ\": *\n$ {source}\n $\n");
    print::layout(&Memory::new(text), &Writer::default(), "").map_err(|failure| failure.message)?;
    Ok(())
}

/// A use of a command with as many arguments as it takes.
fn example(name: &str, shape: &ArgShape) -> String {
    match shape {
        ArgShape::Right { pattern } => match pattern {
            ArgPattern::None => format!("a \\{name} b"),
            ArgPattern::FixedLenTerm { len } => {
                format!("\\{name}{}", "{x}".repeat(usize::from(*len)))
            }
            ArgPattern::RangeLenTerm { max, .. } => {
                format!("\\{name}{}", "{x}".repeat(usize::from(*max)))
            }
            ArgPattern::Greedy => format!("{{\\{name} x}}"),
            ArgPattern::Glob { .. } => format!("\\{name}[3]{{x}}"),
        },
        ArgShape::Left1 => format!("\\sum\\{name}_a"),
        ArgShape::InfixGreedy => format!("{{a \\{name} b}}"),
    }
}

#[test]
fn every_command_that_mitex_knows_compiles() {
    let mut commands: Vec<(&str, String)> = mitex_spec_gen::DEFAULT_SPEC
        .items()
        .filter(|(name, _)| !NOT_MATHS.contains(name))
        .map(|(name, item)| match item {
            CommandSpecItem::Cmd(shape) => (name, example(name, &shape.args)),
            CommandSpecItem::Env(shape) => {
                let columns = if matches!(shape.args, ArgPattern::FixedLenTerm { .. }) {
                    "{cc}"
                } else {
                    ""
                };
                (
                    name,
                    format!("\\begin{{{name}}}{columns} a & b \\\\ c & d \\end{{{name}}}"),
                )
            }
        })
        .collect();
    commands.sort();
    let broken: Vec<String> = commands
        .iter()
        .filter_map(|(name, latex)| Some(format!("{name}: {latex}: {}", compiles(latex).err()?)))
        .collect();
    assert!(
        broken.is_empty(),
        "{} of {}:\n{}",
        broken.len(),
        commands.len(),
        broken.join("\n")
    );
}

#[test]
fn formulas_of_papers_compile() {
    for latex in FORMULAS {
        assert_eq!(compiles(latex), Ok(()), "{latex}");
    }
}

#[test]
fn hostile_formulas_are_refused_without_panic() {
    for latex in [
        "\\begin{array} a",
        "{{{",
        "\\frac",
        "}",
        "\\left(",
        "\\begin{cases}",
        "#panic()",
        "\\text{#panic()}",
        "$",
    ] {
        // Whatever comes of it, it comes as a value.
        let _ = compiles(latex);
    }
    for piece in [
        "{",
        "x^",
        "\\frac{",
        "\\left(",
        "\\begin{cases}",
        "\\sqrt[",
        "(",
        "\\hat ",
    ] {
        assert!(compiles(&piece.repeat(20_000)).is_err(), "{piece}");
    }
}
