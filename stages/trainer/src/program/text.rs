//! Python lines that mean nothing here but that every author writes: imports of torch, a docstring at
//! the head. They are blanked, so that lines and columns stay what they were.

use kyobashi_stage::Failure;

use super::place::at;

/// Imports whose names a program has anyway (shim/names.cpp).
const IMPORTS: &[&str] = &[
    "import torch",
    "import math",
    "import torch.nn.functional as F",
    "from torch.nn import functional as F",
    "from torch import nn",
    "import torch.nn as nn",
    "from torch import Tensor",
    "from __future__ import annotations",
];

/// libtorch's parser calls itself for every level of nesting; this bounds how deep a text can nest, and
/// the stack of the thread that compiles is made for it (`serve`).
const LONGEST: usize = 100_000;

/// Program text that libtorch's parser takes.
///
/// # Errors
/// Any other import, with its line; a text that is too long.
pub(super) fn clean(text: &str) -> Result<String, Failure> {
    if text.len() > LONGEST {
        return Err(Failure::new(format!(
            "the program has {} bytes; it may have {LONGEST}",
            text.len()
        )));
    }
    // A byte order mark is what some editors put before a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut docstring = Docstring::Possible;
    for (index, line) in text.lines().enumerate() {
        let bare = line.split('#').next().unwrap_or_default().trim();
        if docstring.covers(line) || is_known_import(bare) {
            out.push('\n');
            continue;
        }
        if line.starts_with("import ") || (line.starts_with("from ") && bare.contains(" import ")) {
            let message = format!("`{bare}`: a program imports nothing");
            return Err(at(text, index as u64 + 1, 1, &message).help(
                "`torch`, `math`, `F` (torch.nn.functional) and the types of `typing` are there",
            ));
        }
        out.push_str(line);
        out.push('\n');
    }
    Ok(out)
}

fn is_known_import(bare: &str) -> bool {
    IMPORTS.contains(&bare) || bare.starts_with("from typing import ")
}

/// Where we are relative to a triple-quoted text before the first function.
enum Docstring {
    Possible,
    Inside(&'static str),
    Past,
}

impl Docstring {
    fn covers(&mut self, line: &str) -> bool {
        match self {
            Self::Past => false,
            Self::Inside(quote) => {
                if line.contains(*quote) {
                    *self = Self::Past;
                }
                true
            }
            Self::Possible => {
                let Some(quote) = ["\"\"\"", "'''"].into_iter().find(|q| line.starts_with(q))
                else {
                    if line.starts_with("def ") {
                        *self = Self::Past;
                    }
                    return false;
                };
                *self = if line[quote.len()..].contains(quote) {
                    Self::Past
                } else {
                    Self::Inside(quote)
                };
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_and_docstring_vanish_and_lines_keep_their_numbers() {
        let text = "\"\"\"About\nthis.\"\"\"\nimport torch\nfrom typing import Dict\n\ndef f():\n  x = '''a'''\n";
        assert_eq!(clean(text).unwrap(), "\n\n\n\n\ndef f():\n  x = '''a'''\n");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_program() {
        assert_eq!(
            clean("\u{feff}import torch\ndef f():\n").unwrap(),
            "\ndef f():\n"
        );
    }

    #[test]
    fn other_imports_are_refused_with_their_line() {
        let failure = clean("import torch\nimport os\n").unwrap_err();
        assert!(
            failure.message.starts_with("program.py:2:1: `import os`"),
            "{failure}"
        );
    }
}
