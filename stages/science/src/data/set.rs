//! `data/set`: the data of a template by name, so that one pipeline trains on any of them.

use kyobashi_stage::{Call, Context, Failure, Outputs, Port, Signature, Stage};

use super::{equations, points};

pub(crate) struct Set;

impl Stage for Set {
    fn signature(&self) -> Signature {
        Signature {
            with: vec![
                Port::new(
                    "name",
                    "str",
                    "a point set: circle, dino, line, moons; or a table of equations: x_plus_y, \
                     x_minus_y, x_div_y, permutation",
                ),
                Port::or("n", "int", 100_000, "number of points of a point set"),
                Port::or(
                    "seed",
                    "int",
                    0,
                    "of a point set, another seed draws another sample of the same law",
                ),
                Port::or(
                    "modulus",
                    "int",
                    97,
                    "of a table, the numbers are those from 0 up to but not including it",
                ),
            ],
            outs: vec![Port::new(
                "rows",
                "file(.safetensors)",
                "tensor `x`, float32, [n, 2]; of a table `x`, int64, the four tokens of `a o b =`, and \
                 `y`, int64, the number of the answer",
            )],
            ..Signature::new("data/set", 1, "Make the data of a template by name")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let name: String = call.get("name")?;
        let rows = if equations::NAMES.contains(&name.as_str()) {
            equations::file(&name, call.get("modulus")?)?
        } else if points::NAMES.contains(&name.as_str()) {
            points::file(&name, call.get("n")?, call.get("seed")?)?
        } else {
            let known = [points::NAMES, equations::NAMES].concat().join(", ");
            return Err(Failure::new(format!("there is no data set `{name}`"))
                .help(format!("there are {known}")));
        };
        Ok(Outputs::from([("rows".to_owned(), rows)]))
    }
}
