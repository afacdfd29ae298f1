//! The exact distribution of the Mann–Whitney statistic: how often the members of one group exceed those of the other.
//!
//! Source: H. B. Mann and D. R. Whitney, *On a test of whether one of two random variables is stochastically larger than
//! the other*, Ann. Math. Statist. 18 (1947): the recursion over the largest of all values, and the table at its end.

/// Beyond this many members of a group the normal approximation is as good as the exact distribution.
const EXACT_UP_TO: usize = 40;

/// `result[u]` is the probability that U is at most `u`, for groups of `n` and `m` without ties and without a difference;
/// `u` goes from 0 to `n * m`. `None` where a group is too large for it.
pub fn exact_cumulative(n: usize, m: usize) -> Option<Vec<f64>> {
    if n.max(m) > EXACT_UP_TO {
        return None;
    }
    // row[j][u] for groups of i and j: the largest of all values is one of the i (and then exceeds all j), or of the j.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for j in 1..=m {
            let of_first = i as f64 / (i + j) as f64;
            let chance = |u: usize| {
                let beats_all = u.checked_sub(j).and_then(|rest| row[j].get(rest)).map_or(0.0, |p| of_first * p);
                beats_all + next[j - 1].get(u).map_or(0.0, |p| (1.0 - of_first) * p)
            };
            let here = (0..=i * j).map(chance).collect();
            next.push(here);
        }
        row = next;
    }
    let mut sum = 0.0;
    let cumulative = row.swap_remove(m).into_iter().map(|p| {
        sum += p;
        sum
    });
    Some(cumulative.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mann_and_whitney() {
        // Their Table I, and the printed critical values (two-sided 5 % and 1 %): the largest U still significant.
        for (n, m, u, printed) in [
            (3, 3, 0, 0.050),
            (4, 4, 1, 0.029),
            (5, 5, 2, 0.016),
            (5, 5, 4, 0.048),
            (8, 8, 13, 0.025),
            (8, 7, 10, 0.020),
        ] {
            let found = exact_cumulative(n, m).unwrap()[u];
            assert!((found - printed).abs() < 6e-4, "P(U <= {u}) of {n} and {m}: {found}, printed {printed}");
        }
        for (n, five, one) in [(5, 2, 0), (6, 5, 2), (8, 13, 7), (10, 23, 16), (15, 64, 51), (20, 127, 105)] {
            let table = exact_cumulative(n, n).unwrap();
            assert_eq!(table.iter().rposition(|&p| p <= 0.025), Some(five), "n {n}, 5 %");
            assert_eq!(table.iter().rposition(|&p| p <= 0.005), Some(one), "n {n}, 1 %");
        }
    }

    #[test]
    fn it_adds_up_and_is_symmetric() {
        for (n, m) in [(1, 1), (2, 7), (12, 9), (40, 40)] {
            let table = exact_cumulative(n, m).unwrap();
            assert_eq!(table.len(), n * m + 1);
            assert!((table[n * m] - 1.0).abs() < 1e-9);
            for u in 0..n * m {
                assert!((table[u] + table[n * m - u - 1] - 1.0).abs() < 1e-9, "{n} {m} {u}");
            }
        }
        assert_eq!(exact_cumulative(41, 5), None);
    }
}
