//! `data/text`: a text as numbers of characters, for models that predict the next one. The end of the
//! text is held out, so that nothing of it was seen.

use std::collections::BTreeSet;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::json;

use super::file::{Named, Numbers, safetensors};

pub(crate) struct Text;

impl Stage for Text {
    fn signature(&self) -> Signature {
        let numbers =
            "tensor `x`, the numbers of its characters: uint8, or int64 beyond 256 of them";
        Signature {
            ins: vec![Port::new("text", "file", "text in UTF-8")],
            with: vec![Port::or(
                "held_out",
                "float",
                0.1,
                "share of the text, its end, that `valid` holds",
            )],
            outs: vec![
                Port::new("train", "file(.safetensors)", numbers),
                Port::new("valid", "file(.safetensors)", "the same of the rest"),
                Port::new(
                    "characters",
                    "list<str>",
                    "the characters by their numbers, in the order of Unicode",
                ),
            ],
            ..Signature::new("data/text", 1, "Number the characters of a text")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let share: f64 = call.get("held_out")?;
        if !(share > 0.0 && share < 1.0) {
            return Err(Failure::new(format!(
                "`held_out` is {share}; it lies between 0 and 1"
            )));
        }
        let path = call.path("text")?;
        let bad = |what: String| Failure::new(format!("cannot read {}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let (numbers, characters) = numbered(&text);
        let cut = (numbers.len() as f64 * (1.0 - share)) as usize;
        if cut == 0 || cut == numbers.len() {
            return Err(bad(format!(
                "its {} characters leave none on one side",
                numbers.len()
            )));
        }
        let (train, valid) = numbers.split_at(cut);
        let kinds = characters.len();
        Ok(Outputs::from([
            ("train".to_owned(), file(train, kinds)?),
            ("valid".to_owned(), file(valid, kinds)?),
            ("characters".to_owned(), Output::value(json!(characters))),
        ]))
    }
}

/// The numbers of a text's characters, and the characters in the order of their numbers.
fn numbered(text: &str) -> (Vec<i64>, Vec<String>) {
    let kinds: BTreeSet<char> = text.chars().collect();
    let kinds: Vec<char> = kinds.into_iter().collect();
    let number = |character: char| kinds.partition_point(|known| *known < character) as i64;
    let numbers = text.chars().map(number).collect();
    (numbers, kinds.iter().map(char::to_string).collect())
}

fn file(numbers: &[i64], kinds: usize) -> Result<Output, Failure> {
    let held = if kinds <= 256 {
        Numbers::U8(numbers.iter().map(|number| *number as u8).collect())
    } else {
        Numbers::I64(numbers.to_vec())
    };
    safetensors(vec![Named {
        name: "x",
        shape: vec![numbers.len()],
        numbers: held,
    }])
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn characters_are_numbered_in_the_order_of_unicode() {
        let (numbers, characters) = numbered("banana é");
        assert_eq!(characters, [" ", "a", "b", "n", "é"]);
        assert_eq!(numbers, [2, 1, 3, 1, 3, 1, 0, 4]);
    }
}
