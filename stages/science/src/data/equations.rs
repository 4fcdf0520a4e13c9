//! Tables of binary operations, "a o b = c", row by row: the data of the template grokking.
//!
//! The operations are those of the published template; nothing is drawn, every equation of the table is
//! there once. Which of them are held out is the split of the training, not known here.

use kyobashi_stage::{Failure, Output};

use super::file::{Named, Numbers, safetensors};

/// The names of the operations.
pub(super) const NAMES: [&str; 4] = ["x_plus_y", "x_minus_y", "x_div_y", "permutation"];

/// The token between the operands, and the one after them; elements follow.
const OPERATOR: i64 = 0;
const EQUALS: i64 = 1;
const FIRST: i64 = 2;

/// Things that the elements of `permutation` permute.
const PERMUTED: usize = 5;

/// An equation by the numbers of its elements: a, b and c.
type Equation = [i64; 3];

/// The table of an operation as tensors `x`, the tokens of "a o b =", and `y`, the number of c.
///
/// # Errors
/// If there is no such operation, or `modulus` is no prime that fits.
pub(super) fn file(name: &str, modulus: i64) -> Result<Output, Failure> {
    let table = table(name, modulus)?;
    let tokens = |[a, b, _]: &Equation| [a + FIRST, OPERATOR, b + FIRST, EQUALS];
    safetensors(vec![
        Named {
            name: "x",
            shape: vec![table.len(), 4],
            numbers: Numbers::I64(table.iter().flat_map(tokens).collect()),
        },
        Named {
            name: "y",
            shape: vec![table.len()],
            numbers: Numbers::I64(table.iter().map(|equation| equation[2]).collect()),
        },
    ])
}

fn table(name: &str, modulus: i64) -> Result<Vec<Equation>, Failure> {
    let p = modulus;
    if name != "permutation" && !(2..1000).contains(&p) {
        return Err(Failure::new(format!(
            "`modulus` is {p}; it lies between 2 and 999"
        )));
    }
    let pairs = |from: i64| (0..p).flat_map(move |a| (from..p).map(move |b| (a, b)));
    Ok(match name {
        "x_plus_y" => pairs(0).map(|(a, b)| [a, b, (a + b) % p]).collect(),
        "x_minus_y" => pairs(0)
            .map(|(a, b)| [a, b, (a - b).rem_euclid(p)])
            .collect(),
        "x_div_y" => {
            // The inverses by their definition; without a prime some number has none.
            let inverse = |b: i64| (1..p).find(|x| b * x % p == 1);
            let inverses: Option<Vec<i64>> = (1..p).map(inverse).collect();
            let inverses = inverses.ok_or_else(|| {
                Failure::new(format!("`modulus` is {p}; division needs a prime one"))
            })?;
            let divide = |(a, b): (i64, i64)| [a, b, a * inverses[b as usize - 1] % p];
            pairs(1).map(divide).collect()
        }
        _ => permutations(),
    })
}

/// The composition (a ∘ b)(i) = a(b(i)) of all permutations, numbered in lexicographic order.
fn permutations() -> Vec<Equation> {
    let mut all: Vec<[usize; PERMUTED]> = Vec::new();
    extend(&mut Vec::new(), &mut all);
    let mut table = Vec::with_capacity(all.len() * all.len());
    for (a, first) in all.iter().enumerate() {
        for (b, second) in all.iter().enumerate() {
            let composed = second.map(|i| first[i]);
            let c = all
                .binary_search(&composed)
                .expect("the composition of two permutations is one of all");
            table.push([a as i64, b as i64, c as i64]);
        }
    }
    table
}

fn extend(begun: &mut Vec<usize>, all: &mut Vec<[usize; PERMUTED]>) {
    if let Ok(whole) = <[usize; PERMUTED]>::try_from(begun.as_slice()) {
        all.push(whole);
        return;
    }
    for next in 0..PERMUTED {
        if !begun.contains(&next) {
            begun.push(next);
            extend(begun, all);
            begun.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_equation_is_true_and_there_once() {
        let divisions = table("x_div_y", 97).unwrap();
        assert_eq!(divisions.len(), 97 * 96);
        assert!(divisions.iter().all(|[a, b, c]| c * b % 97 == *a));
        let differences = table("x_minus_y", 97).unwrap();
        assert!(differences.iter().all(|[a, b, c]| (c + b) % 97 == *a));
        let sums = table("x_plus_y", 97).unwrap();
        let pairs: std::collections::BTreeSet<_> = sums.iter().map(|[a, b, _]| (a, b)).collect();
        assert_eq!(pairs.len(), 97 * 97);
    }

    #[test]
    fn permutations_are_a_group_that_does_not_commute() {
        let table = table("permutation", 0).unwrap();
        assert_eq!(table.len(), 120 * 120);
        let of = |a: i64, b: i64| table[(a * 120 + b) as usize][2];
        for a in 0..120 {
            assert_eq!((of(a, 0), of(0, a)), (a, a), "number 0 changes nothing");
            let mut row: Vec<i64> = (0..120).map(|b| of(a, b)).collect();
            row.sort_unstable();
            assert_eq!(row, (0..120).collect::<Vec<_>>());
        }
        assert_eq!(of(of(7, 30), 99), of(7, of(30, 99)));
        assert_ne!(of(1, 2), of(2, 1));
    }

    #[test]
    fn a_modulus_without_inverses_is_refused_where_it_matters() {
        assert!(table("x_plus_y", 96).is_ok());
        let message = table("x_div_y", 96).unwrap_err().message;
        assert!(message.contains("prime"), "{message}");
    }
}
