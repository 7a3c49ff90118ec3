//! What the values of the old file were to Python: YAML 1.1 scalars, as PyYAML 3 reads them, and what counts as true.

use crate::quantity;
use crate::tree::{Node, Value};

/// A whole number: also in octal, and by sixties, `48:00:00`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.contains(':') {
        return quantity::integer(text);
    }
    let mut parts = digits.split(':').map(|part| part.replace('_', ""));
    let first: i64 = parts.next().filter(|part| is_decimal(part) && !part.starts_with('0'))?.parse().ok()?;
    let by_sixties = parts.try_fold(first, |sum, part| {
        let part: i64 = Some(part).filter(|part| is_decimal(part) && part.len() <= 2)?.parse().ok()?;
        (part < 60).then_some(())?;
        sum.checked_mul(60)?.checked_add(part)
    })?;
    Some(sign * by_sixties)
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a switch says: the words of YAML 1.1. To the original, 1 was neither true nor false: it offered what a registry of its own
/// offers, and refused everybody. Here it is true, and 0 false.
pub(super) fn switch(node: &Node) -> Option<bool> {
    let Value::Scalar(scalar) = &node.value else { return None };
    if !scalar.plain {
        return None;
    }
    match scalar.text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => match integer(&scalar.text) {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
    }
}
