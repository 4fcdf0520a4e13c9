//! `data/characters`: numbers of characters as a text again, the inverse of `data/text`. It does not know
//! who made the numbers.

use std::fmt::Write;
use std::path::Path;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use safetensors::{Dtype, SafeTensors};

pub(crate) struct Characters;

impl Stage for Characters {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "drawn",
                    "file(.safetensors)",
                    "tensor `drawn`, int64, [passages, characters]: numbers of characters",
                ),
                Port::new(
                    "characters",
                    "list<str>",
                    "the characters by their numbers, of `data/text`",
                ),
            ],
            outs: vec![Port::new(
                "text",
                "text",
                "the passages, each after a line with its number",
            )],
            ..Signature::new(
                "data/characters",
                1,
                "Write numbers of characters as a text",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let characters: Vec<String> = call.get("characters")?;
        let path = call.path("drawn")?;
        let bytes = std::fs::read(path).map_err(|error| bad(path, &error.to_string()))?;
        let text = passages(&bytes, &characters).map_err(|what| bad(path, &what))?;
        Ok(Outputs::from([("text".to_owned(), Output::bytes(text))]))
    }
}

fn bad(path: &Path, what: &str) -> Failure {
    Failure::new(format!("cannot read {}: {what}", path.display()))
        .help("`drawn` of a training whose `sample` returns numbers of characters is such a file")
}

fn passages(bytes: &[u8], characters: &[String]) -> Result<String, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let drawn = file.tensor("drawn").map_err(|error| error.to_string())?;
    let &[count, length] = drawn.shape() else {
        return Err(format!(
            "`drawn` has the shape {:?}, not two sides",
            drawn.shape()
        ));
    };
    if drawn.dtype() != Dtype::I64 {
        return Err(format!("`drawn` is of type {:?}, not I64", drawn.dtype()));
    }
    let (numbers, _) = drawn.data().as_chunks::<8>();
    let mut text = String::new();
    for passage in 0..count {
        let _ = writeln!(text, "--- {} ---", passage + 1);
        for bytes in &numbers[passage * length..(passage + 1) * length] {
            let number = i64::from_le_bytes(*bytes);
            let character = usize::try_from(number)
                .ok()
                .and_then(|number| characters.get(number))
                .ok_or_else(|| {
                    format!(
                        "{number} is the number of none of {} characters",
                        characters.len()
                    )
                })?;
            text.push_str(character);
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, serialize, tensor::TensorView};

    use super::passages;

    fn file(dtype: Dtype, shape: Vec<usize>, numbers: &[i64]) -> Vec<u8> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        serialize(
            [("drawn", TensorView::new(dtype, shape, &bytes).unwrap())],
            None,
        )
        .unwrap()
    }

    #[test]
    fn numbers_become_the_characters_that_they_are_of() {
        let kinds = ["\n", "a", "é"].map(str::to_owned);
        let drawn = file(Dtype::I64, vec![2, 3], &[1, 2, 0, 2, 2, 1]);
        assert_eq!(
            passages(&drawn, &kinds).unwrap(),
            "--- 1 ---\naé\n\n--- 2 ---\nééa\n"
        );
    }

    #[test]
    fn what_is_no_text_is_named() {
        let kinds = ["a".to_owned()];
        let said = |bytes: &[u8]| passages(bytes, &kinds).unwrap_err();
        assert!(
            said(&file(Dtype::I64, vec![1, 2], &[0, 7]))
                .starts_with("7 is the number of none of 1")
        );
        assert!(said(&file(Dtype::I64, vec![1, 2], &[0, -1])).starts_with("-1 is"));
        assert!(said(&file(Dtype::F64, vec![1, 1], &[0])).contains("F64"));
        assert!(said(&file(Dtype::I64, vec![2], &[0, 0])).contains("[2]"));
        assert!(said(b"rubbish").len() > 5);
    }
}
