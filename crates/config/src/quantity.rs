//! Durations and sizes, as they are written in a configuration. Pure functions of their text.

use std::time::Duration;

const NANOSECONDS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000), // micro sign
    ("μs", 1_000), // Greek mu
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
];

/// Longest first: the first suffix that fits is the one that was meant.
const BYTES: [(&str, u64); 10] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("", 1),
];

/// Reads a duration as Go's `time.ParseDuration` does (`10s`, `1h30m`, `1.5h`), or a bare number of nanoseconds, as
/// registry:2 does. `None` when it is neither, is negative, or does not fit 64 bits of nanoseconds (584 years).
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Some(nanoseconds) = times(text, 1) {
        return Some(Duration::from_nanos(nanoseconds));
    }
    let in_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !in_number(c))?);
        let (unit, after) = after.split_at(after.find(in_number).unwrap_or(after.len()));
        let (_, nanoseconds) = NANOSECONDS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(times(number, *nanoseconds)?)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_nanos(total))
}

/// Reads a whole number as YAML 1.1 writes it, which is what registry:2 reads: `1000`, `1_000`, `-1`, `0x3e8`, `0b11`, and
/// `01750` or `0o1750`, which is octal. `None` when it is nothing of the kind or does not fit 64 bits.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    let (radix, digits) = match digits.strip_prefix('0') {
        None | Some("") => (10, digits.as_str()),
        Some(rest) => [("x", 16), ("b", 2), ("o", 8)]
            .into_iter()
            .find_map(|(mark, radix)| Some((radix, rest.strip_prefix(mark)?)))
            .unwrap_or((8, rest)),
    };
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None; // another sign, which would be read
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// Reads a number of bytes: `20971520`, `20_971_520`, `0x1400000`, `2.097152e+07` (as Helm writes it), or with a suffix in any
/// case: `K`, `M`, `G` and `KiB`, `MiB`, `GiB` are powers of 1024, `kB`, `MB`, `GB` powers of 1000, as in GNU tools.
/// `None` when it is nothing of the kind or does not fit 64 bits.
pub(crate) fn size(text: &str) -> Option<u64> {
    if text.starts_with("0x") {
        return u64::try_from(integer(text)?).ok();
    }
    let text = text.to_ascii_lowercase().replace('_', "");
    let (number, unit) =
        BYTES.iter().find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))?;
    times(number.trim_end(), unit)
}

/// `number` times `unit`, rounded down. The number is decimal digits with an optional fraction and exponent.
/// The arithmetic is in integers, so `0.1` loses nothing.
fn times(number: &str, unit: u64) -> Option<u64> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None; // a sign, which u128 would read
    }
    let product = digits.parse::<u128>().ok()?.checked_mul(u128::from(unit))?;
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_u128.checked_pow(exponent.unsigned_abs())?;
    let value = if exponent < 0 { product / power } else { product.checked_mul(power)? };
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests;
