//! Another number of phones, shared out among the fleets as before.

/// The counts scaled to `total` in proportion, by largest remainder, at least one each; `None` if that is
/// impossible.
pub(crate) fn scaled(counts: &[u64], total: u64) -> Option<Vec<u64>> {
    let sum: u128 = counts.iter().map(|c| u128::from(*c)).sum();
    if sum == 0 || (counts.len() as u64) > total || counts.contains(&0) {
        return None;
    }
    let exact: Vec<u128> = counts.iter().map(|c| u128::from(*c) * u128::from(total)).collect();
    let mut shares: Vec<u64> = exact.iter().map(|e| (e / sum) as u64).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|n| std::cmp::Reverse(exact[*n] % sum));
    let left = total - shares.iter().sum::<u64>();
    by_remainder.iter().take(left as usize).for_each(|n| shares[*n] += 1);
    // Who got nothing gets one from the largest.
    while let Some(none) = shares.iter().position(|s| *s == 0) {
        let largest = shares.iter_mut().max()?;
        *largest -= 1;
        shares[none] = 1;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets_keep_their_proportions() {
        for (counts, total, want) in [
            (&[1000, 1000][..], 20_000, Some(vec![10_000, 10_000])),
            (&[1000, 1000], 5, Some(vec![3, 2])),
            (&[700, 200, 100], 7, Some(vec![5, 1, 1])),
            (&[1_000_000, 1, 1], 3, Some(vec![1, 1, 1])),
            (&[1_000_000, 1], 10, Some(vec![9, 1])),
            (&[1, 1, 1], 2, None),
            (&[], 2, None),
        ] {
            assert_eq!(scaled(counts, total), want, "{counts:?} to {total}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_sum_is_right(counts in proptest::collection::vec(1u64..10_000_000, 1..8), total in 8u64..10_000_000) {
            let shares = scaled(&counts, total).unwrap_or_default();
            proptest::prop_assert_eq!(shares.iter().sum::<u64>(), total);
            proptest::prop_assert!(shares.iter().all(|s| *s > 0));
        }
    }
}
