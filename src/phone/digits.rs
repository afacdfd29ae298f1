//! Numbers written out. Every operation of a phone fills its templates anew: what formatting costs would be felt.

/// Writes `number` in decimal, with zeros before it up to `width` digits.
pub(super) fn push_decimal(out: &mut String, number: u64, width: usize) {
    push::<10>(out, number, width);
}

/// Writes `number` in lower-case hexadecimal, with zeros before it up to `width` digits.
pub(super) fn push_hex(out: &mut String, number: u64, width: usize) {
    push::<16>(out, number, width);
}

fn push<const BASE: u64>(out: &mut String, mut number: u64, width: usize) {
    // As many as the greatest number has in decimal.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 || first == digits.len() {
        first -= 1;
        // Below the base: a digit.
        digits[first] = b"0123456789abcdef"[(number % BASE) as usize];
        number /= BASE;
    }
    let missing = (first + width).saturating_sub(digits.len());
    // The zeros before the number are there already, as far as they go.
    let near = missing.min(first);
    for _ in near..missing {
        out.push('0');
    }
    out.extend(digits[first - near..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_format_has_them(number: u64, few in 0..1000u64, width in 0..65usize) {
            for number in [number, few, 0, u64::MAX] {
                let (mut decimal, mut hex) = (String::new(), String::new());
                push_decimal(&mut decimal, number, width);
                push_hex(&mut hex, number, width);
                prop_assert_eq!(decimal, format!("{number:0width$}"));
                prop_assert_eq!(hex, format!("{number:0width$x}"));
            }
        }
    }
}
