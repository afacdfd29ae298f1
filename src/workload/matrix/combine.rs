//! Which combinations there are: every value is a number here, so this is plain counting.

/// Combinations that are left out: for each axis named, the values of which one must be met.
pub(super) type Rule = Vec<(usize, Vec<usize>)>;

/// Whether a combination fits a rule in all of its axes.
pub(super) fn fits(combination: &[usize], rule: &Rule) -> bool {
    rule.iter().all(|(axis, values)| combination.get(*axis).is_some_and(|value| values.contains(value)))
}

/// Every combination of so many values, the last axis changing first, without those that fit a rule.
pub(super) fn all(sizes: &[usize], left_out: &[Rule]) -> Vec<Vec<usize>> {
    let mut combinations = vec![Vec::new()];
    for size in sizes {
        let longer = |shorter: Vec<usize>| (0..*size).map(move |value| [shorter.clone(), vec![value]].concat());
        combinations = combinations.into_iter().flat_map(longer).collect();
    }
    combinations.retain(|combination| !left_out.iter().any(|rule| fits(combination, rule)));
    combinations
}

/// The baseline, then the baseline with one value changed at a time, without those that fit a rule.
pub(super) fn one_at_a_time(sizes: &[usize], baseline: &[usize], left_out: &[Rule]) -> Vec<Vec<usize>> {
    let mut combinations = vec![baseline.to_vec()];
    for (axis, size) in sizes.iter().enumerate() {
        for value in (0..*size).filter(|value| baseline.get(axis) != Some(value)) {
            let mut changed = baseline.to_vec();
            changed[axis] = value;
            combinations.push(changed);
        }
    }
    combinations.retain(|combination| !left_out.iter().any(|rule| fits(combination, rule)));
    combinations
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_axis_changes_first_and_rules_take_out_what_fits_them_whole() {
        let rule = vec![(0, vec![1]), (1, vec![0, 2])];
        let found: Vec<_> =
            all(&[2, 3], &[rule]).iter().map(|c| c.iter().map(usize::to_string).collect::<String>()).collect();
        assert_eq!(found.join(" "), "00 01 02 11");
        let found = one_at_a_time(&[2, 3], &[1, 1], &[vec![(1, vec![2])]]);
        assert_eq!(found, [[1, 1], [0, 1], [1, 0]]);
        assert_eq!(all(&[], &[]), [[0; 0]], "nothing varied is one combination");
    }

    fn rules() -> impl Strategy<Value = Vec<Rule>> {
        let rule = proptest::collection::btree_map(0_usize..4, proptest::collection::vec(0_usize..3, 1..3), 1..3);
        proptest::collection::vec(rule.prop_map(|rule| rule.into_iter().collect()), 0..4)
    }

    proptest! {
        /// All combinations, each once; each of them is there unless a rule fits it.
        #[test]
        fn nothing_is_missing_and_nothing_twice(sizes in proptest::collection::vec(1_usize..4, 1..5), rules in rules()) {
            let found = all(&sizes, &rules);
            prop_assert!(found.is_sorted_by(|a, b| a < b), "in order, and so each once");
            let whole: usize = sizes.iter().product();
            let mut left_out = 0;
            for mut n in 0..whole {
                let mut combination: Vec<usize> = sizes.iter().rev().map(|size| { let v = n % size; n /= size; v }).collect();
                combination.reverse();
                let out = rules.iter().any(|rule| fits(&combination, rule));
                left_out += usize::from(out);
                prop_assert_eq!(found.contains(&combination), !out);
            }
            prop_assert_eq!(found.len() + left_out, whole);
        }

        /// One at a time is the part of all combinations that differ from the baseline in one axis at most.
        #[test]
        fn one_at_a_time_is_what_is_nearest(sizes in proptest::collection::vec(1_usize..4, 1..5), pick in any::<usize>(), rules in rules()) {
            let whole = all(&sizes, &[]);
            let baseline = whole[pick % whole.len()].clone();
            let apart = |c: &Vec<usize>| c.iter().zip(&baseline).filter(|(a, b)| a != b).count();
            let mut wanted = all(&sizes, &rules);
            wanted.retain(|c| apart(c) <= 1);
            let mut found = one_at_a_time(&sizes, &baseline, &rules);
            prop_assert!(found.first().is_none_or(|first| apart(first) == 0 || rules.iter().any(|rule| fits(&baseline, rule))));
            found.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}
