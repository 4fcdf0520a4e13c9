//! Strengths from wins, after Bradley and Terry (1952): the chance that `i` beats `j` is pᵢ / (pᵢ + pⱼ).
//!
//! Fitted by the MM iteration of Hunter, MM algorithms for generalized Bradley-Terry models, Annals of Statistics
//! 32 (2004), 384–406. Whoever never loses would be infinitely strong, so each also plays half a win and half a
//! loss against an average player of strength 1, which is a proper prior (Caron and Doucet 2012). Intervals are
//! those of the normal approximation at the most likely strengths, of each player's distance to the middle.

/// Rounds at most, and the change at which the iteration ends.
const ROUNDS: usize = 10_000;
const ENOUGH: f64 = 1e-12;

/// The quantile of 95 % intervals.
const Z: f64 = 1.959_963_984_540_054;

/// How one stands to the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// The chance to win against a player in the middle of these, by the logarithm of strength, with its 95 %
    /// interval.
    pub(super) chance: f64,
    pub(super) ci: [f64; 2],
}

/// The standings of players whose wins are `wins[winner][loser]`.
pub(super) fn standings(wins: &[Vec<f64>]) -> Vec<Standing> {
    let n = wins.len();
    let games = |i: usize, j: usize| wins[i][j] + wins[j][i];
    let won: Vec<f64> = wins
        .iter()
        .map(|row| row.iter().sum::<f64>() + 0.5)
        .collect();
    let mut strengths = vec![1.0_f64; n];
    for _ in 0..ROUNDS {
        let next: Vec<f64> = (0..n)
            .map(|i| {
                let others = (0..n).filter(|j| *j != i);
                let sum: f64 = others
                    .map(|j| games(i, j) / (strengths[i] + strengths[j]))
                    .sum();
                won[i] / (sum + 1.0 / (strengths[i] + 1.0))
            })
            .collect();
        let change = next
            .iter()
            .zip(&strengths)
            .map(|(new, old)| (new / old).ln().abs());
        let change = change.fold(0.0, f64::max);
        strengths = next;
        if change < ENOUGH {
            break;
        }
    }
    let spread = |i: usize, p: f64| strengths[i] * p / (strengths[i] + p).powi(2);
    // The information of the logarithms of the strengths; the average player makes it invertible.
    let information: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            (0..n)
                .map(|j| match i == j {
                    true => {
                        let others = (0..n).filter(|other| *other != i);
                        let sum: f64 = others.map(|j| games(i, j) * spread(i, strengths[j])).sum();
                        sum + spread(i, 1.0)
                    }
                    false => -games(i, j) * spread(i, strengths[j]),
                })
                .collect()
        })
        .collect();
    let inverse = inverse(information);
    let logs: Vec<f64> = strengths.iter().map(|strength| strength.ln()).collect();
    let middle = logs.iter().sum::<f64>() / n as f64;
    let chance = |log: f64| 1.0 / (1.0 + (-log).exp());
    (0..n)
        .map(|i| {
            // Of the distance to the middle of the players: how they stand to the prior's player is of no interest.
            let weight = |j: usize| f64::from(u8::from(i == j)) - 1.0 / n as f64;
            let covariances = (0..n).flat_map(|j| (0..n).map(move |k| (j, k)));
            let variance: f64 = covariances
                .map(|(j, k)| weight(j) * inverse[j][k] * weight(k))
                .sum();
            let (log, half) = (logs[i] - middle, Z * variance.max(0.0).sqrt());
            Standing {
                chance: chance(log),
                ci: [chance(log - half), chance(log + half)],
            }
        })
        .collect()
}

/// The inverse of a symmetric matrix whose diagonal outweighs the rest, by Gauss and Jordan.
fn inverse(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = rows.len();
    for (i, row) in rows.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for i in 0..n {
        let pivot = rows[i][i];
        rows[i].iter_mut().for_each(|value| *value /= pivot);
        let own = rows[i].clone();
        for (j, row) in rows.iter_mut().enumerate() {
            let factor = row[i];
            if j != i && factor != 0.0 {
                row.iter_mut()
                    .zip(&own)
                    .for_each(|(value, own)| *value -= factor * own);
            }
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_win_moves_two_players_apart_by_what_the_equations_say() {
        // By symmetry the strengths are p and 1/p, and 1.5 = p/(p + 1/p) + p/(p + 1).
        let found = standings(&[vec![0.0, 1.0], vec![0.0, 0.0]]);
        let p = found[0].chance / (1.0 - found[0].chance);
        assert!(
            (1.5 - p / (p + 1.0 / p) - p / (p + 1.0)).abs() < 1e-9,
            "{p}"
        );
        assert!((found[0].chance + found[1].chance - 1.0).abs() < 1e-9);
        // The information is [[a + b, -a], [-a, a + b]]; half the difference has the variance 1 / (2 (2 a + b)).
        let (a, b) = (1.0 / (p + 1.0 / p).powi(2), p / (p + 1.0).powi(2));
        let half = Z * (1.0 / (2.0 * (2.0 * a + b))).sqrt();
        let high = 1.0 / (1.0 + (-(p.ln() + half)).exp());
        assert!((found[0].ci[1] - high).abs() < 1e-9);
        assert!(found[0].ci[0] < 0.5, "one win proves nothing");
    }

    #[test]
    fn many_wins_leave_an_interval_above_a_half_and_none_leave_everybody_average() {
        let mut wins = vec![vec![0.0; 3]; 3];
        for (winner, loser) in [(0, 1), (0, 2), (1, 2)] {
            wins[winner][loser] = 20.0;
        }
        let found = standings(&wins);
        assert!(found[0].ci[0] > 0.5 && found[2].ci[1] < 0.5, "{found:?}");
        assert!((found[1].chance - 0.5).abs() < 1e-9);
        let open = standings(&vec![vec![0.0; 2]; 2]);
        assert!((open[0].chance - 0.5).abs() < 1e-12 && open[0].ci[0] < 0.15);
        assert!(standings(&[]).is_empty());
    }
}
