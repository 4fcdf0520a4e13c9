//! The list of operations that a program may use. It is what keeps the promise that a program cannot
//! reach the machine: libtorch itself compiles `torch.save`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use kyobashi_stage::Failure;

use super::place::at;
use crate::torch::Operation;

static ALLOWED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    include_str!("operations.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
});

/// Whether a program may use `operation` (`aten::add`, or its in-place form `aten::add_`).
fn allowed(operation: &str) -> bool {
    ALLOWED.contains(operation)
        || operation
            .strip_suffix('_')
            .is_some_and(|plain| !plain.ends_with('_') && ALLOWED.contains(plain))
}

/// Looks at operations, whether a hook performs them or not.
///
/// # Errors
/// Names the first refused operation in the order of the text, with its line.
pub(super) fn check(operations: &[Operation], text: &str) -> Result<(), Failure> {
    let refused = operations
        .iter()
        .filter(|operation| !allowed(&operation.name))
        .min_by_key(|operation| (operation.line, operation.column));
    match refused {
        None => Ok(()),
        Some(operation) => Err(at(
            text,
            operation.line,
            operation.column,
            &format!("the operation `{}` is not open to programs", operation.name),
        )
        .help(help(&operation.name))),
    }
}

fn help(operation: &str) -> &'static str {
    match operation {
        "prim::Print" | "aten::warn" => "a program's results are what its hooks return",
        "aten::manual_seed" | "aten::seed" | "aten::initial_seed" => "the harness seeds every run",
        "aten::data" => "`.detach()` gives the same numbers outside of differentiation",
        "aten::backward" => "the harness differentiates the loss; `torch.autograd.grad` is open",
        _ => "programs compute on tensors; they cannot reach files, processes or the clock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_admits_mathematics_and_nothing_that_reaches_out() {
        for open in ["aten::add", "aten::add_", "aten::__getitem__", "prim::Loop"] {
            assert!(allowed(open), "{open}");
        }
        for shut in [
            "aten::save",
            "aten::from_file",
            "prim::Print",
            "aten::manual_seed",
            "aten::add__",
            "aten::",
            "my::add",
            "prim::PythonOp",
            "aten::set_",
            "aten::_save_to_file",
        ] {
            assert!(!allowed(shut), "{shut}");
        }
    }

    #[test]
    fn every_word_of_the_list_is_an_operation_name() {
        for word in ALLOWED.iter() {
            assert!(
                word.starts_with("aten::") || word.starts_with("prim::"),
                "{word}"
            );
        }
    }
}
