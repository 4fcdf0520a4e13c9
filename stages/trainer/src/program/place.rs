//! Where an error lies in the program's text. libtorch quotes it as
//! `File "program.py", line 12, in loss`, source lines and a `~~~ <--- HERE` under the column; this
//! reads that back into `program.py:12:8: message` with one source line and its caret.

use kyobashi_stage::{Failure, Retry};

use super::FILE;
use crate::torch::TorchError;

/// A failure at a place (from 1; line 0 = unknown): first line `program.py:12:8: message`.
pub(super) fn at(text: &str, line: u64, column: u64, message: &str) -> Failure {
    if line == 0 {
        return Failure::new(format!("{FILE}: {message}"));
    }
    let column = column.max(1);
    let source = text.lines().nth(line as usize - 1).unwrap_or_default();
    let pad = " ".repeat(column as usize - 1);
    Failure::new(format!(
        "{FILE}:{line}:{column}: {message}\n{line:>4} | {source}\n     | {pad}^"
    ))
}

/// What libtorch threw while it compiled or ran `text`, as a failure with its place.
pub(crate) fn failure(error: &TorchError, text: &str) -> Failure {
    let mut message = says(&error.0);
    if is_out_of_memory(&error.0) {
        message = format!("out of memory: {message}");
    }
    let mut failure = match place(&error.0) {
        Some((line, column)) => at(text, line, column, &message),
        None => Failure::new(message),
    };
    if is_out_of_memory(&error.0) {
        failure.retry = Retry::Possible;
    }
    match help(&error.0, &failure.message) {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// What to write instead, for Python that TorchScript text does not know.
fn help(error: &str, message: &str) -> Option<&'static str> {
    if is_out_of_memory(error) {
        return Some("lower `batch`, `eval_batch` or the size of the network");
    }
    let quoted = message.lines().nth(1).unwrap_or_default();
    [
        (
            "no_grad",
            "the harness evaluates without gradients; `.detach()` stops one",
        ),
        ("lambda ", "write a function with `def`"),
        ("f\"", "texts are joined by `+`: \"block\" + str(i)"),
        ("f'", "texts are joined by `+`: \"block\" + str(i)"),
        (
            "class ",
            "a program consists of functions; parameters live in the dictionary `p`",
        ),
    ]
    .into_iter()
    .find_map(|(sign, help)| quoted.contains(sign).then_some(help))
}

fn is_out_of_memory(error: &str) -> bool {
    [
        "can't allocate memory",
        "out of memory",
        "not enough memory",
    ]
    .iter()
    .any(|sign| error.contains(sign))
}

/// The deepest quoted place: line and column, from 1.
fn place(error: &str) -> Option<(u64, u64)> {
    let head = format!("File \"{FILE}\", line ");
    let start = error.rfind(&head)?;
    let rest = &error[start + head.len()..];
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let line = rest[..digits].parse().ok()?;
    let column = rest
        .lines()
        .find(|line| line.contains("<--- HERE"))
        .and_then(|line| line.find('~'))
        .map_or(1, |column| column as u64 + 1);
    Some((line, column))
}

/// The sentence that says what is wrong, without the quotes around it.
fn says(error: &str) -> String {
    let lines: Vec<&str> = error.lines().map(str::trim_end).collect();
    let raised = lines.iter().rposition(|line| {
        let kind = line.split(':').next().unwrap_or_default();
        line.contains(": ") && kind.ends_with("Error") && kind.chars().all(char::is_alphanumeric)
    });
    let said: Vec<&str> = match raised {
        Some(index) => lines[index..].to_vec(),
        None => lines
            .iter()
            .take_while(|line| !line.starts_with("  File \"") && !line.starts_with("File \""))
            .copied()
            .collect(),
    };
    let text: Vec<&str> = said
        .into_iter()
        .map(|line| line.strip_prefix("RuntimeError: ").unwrap_or(line).trim())
        .filter(|line| !line.is_empty())
        .collect();
    let text = text.join(" ");
    brief(text.trim_end_matches(':').trim())
}

/// A call that fits no form of an operation is answered with all of them, up to a screen full: the first
/// two say what was meant.
fn brief(text: &str) -> String {
    const HEAD: &str = "The following variants are available:";
    let Some((head, forms)) = text.split_once(HEAD) else {
        return text.to_owned();
    };
    let forms = forms.trim().trim_end_matches("The original call is");
    let starts: Vec<usize> = forms.match_indices("aten::").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([forms.len()]);
    // A form with `out` writes into a tensor that is given: not what a program meant.
    let all: Vec<&str> = starts
        .iter()
        .zip(ends)
        .map(|(from, to)| forms[*from..to].trim())
        .filter(|form| !form.contains("Tensor(a!) out"))
        .collect();
    let shown = all[..all.len().min(2)].join(" ");
    match all.len() {
        0 => text.to_owned(),
        1 | 2 => format!("{head}{HEAD} {shown}"),
        more => format!("{head}{HEAD} {shown} (and {} more)", more - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn of_many_forms_of_an_operation_two_are_said() {
        let text = "Arguments for call are not valid. The following variants are available: \
                    aten::norm.A(Tensor self) -> Tensor: Keyword argument dim unknown. \
                    aten::norm.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!): missing. \
                    aten::norm.B(Tensor self, int p) -> Tensor: Argument p not provided. \
                    aten::norm.C(Tensor self, str[1] dim) -> Tensor: Argument p not provided. \
                    The original call is";
        let said = brief(text);
        assert!(
            said.ends_with("Argument p not provided. (and 1 more)"),
            "{said}"
        );
        assert!(said.contains("norm.A") && said.contains("norm.B"), "{said}");
        assert!(
            !said.contains("norm.out") && !said.contains("norm.C"),
            "{said}"
        );
        assert_eq!(brief("KeyError: y"), "KeyError: y");
    }
}
