//! The order and the equality of JSON values, as schemas mean them: `1` and `1.0` are the same number.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// An order of all values, in which equal ones are those that schemas call equal.
pub(super) fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => compare_numbers(one, other),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let lengths = one.len().cmp(&other.len());
            let items = || one.iter().zip(other).map(|(one, other)| compare(one, other));
            lengths.then_with(|| first_difference(items()))
        }
        (Value::Object(one), Value::Object(other)) => {
            let lengths = one.len().cmp(&other.len());
            lengths.then_with(|| {
                let (ours, theirs) = (names(one), names(other));
                let values = ours.iter().filter_map(|name| Some(compare(one.get(*name)?, other.get(*name)?)));
                ours.cmp(&theirs).then_with(|| first_difference(values))
            })
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

fn names(map: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = map.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// The order of two numbers, exactly.
pub(super) fn compare_numbers(one: &Number, other: &Number) -> Ordering {
    let float = |number: &Number| number.as_f64().unwrap_or_default();
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(whole), None) => compare_mixed(whole, float(other)),
        (None, Some(whole)) => compare_mixed(whole, float(one)).reverse(),
        (None, None) => float(one).total_cmp(&float(other)),
    }
}

/// An integer against a float that is none.
fn compare_mixed(whole: i128, float: f64) -> Ordering {
    // beyond the reach of 64 bits a float is larger than any integer of JSON, or smaller
    if float.abs() >= 2_f64.powi(64) {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    #[allow(clippy::cast_possible_truncation, reason = "what is cut off decides next")]
    let below = float.floor() as i128;
    whole.cmp(&below).then(Ordering::Less)
}

/// A number without a part behind the point.
pub(super) fn integer(number: &Number) -> Option<i128> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2_f64.powi(100))?;
        #[allow(clippy::cast_possible_truncation, reason = "it is whole, and within reach")]
        let whole = float as i128;
        Some(whole)
    })
}

/// Whether a number is whole, whatever its size.
pub(super) fn is_whole(number: &Number) -> bool {
    integer(number).is_some() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// Whether one number is a multiple of another, by the digits that they are written in.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    let exactly = || {
        let ((mut one, at), (mut other, other_at)) = (decimal(number)?, decimal(of)?);
        let shift =
            |digits: i128, by: i32| u32::try_from(by).ok().and_then(|by| digits.checked_mul(10_i128.checked_pow(by)?));
        let lowest = at.min(other_at);
        (one, other) = (shift(one, at - lowest)?, shift(other, other_at - lowest)?);
        one.checked_rem(other).map(|rest| rest == 0)
    };
    let roughly = || {
        let quotient = number.as_f64()? / of.as_f64()?;
        Some(quotient.is_finite() && quotient.fract() == 0.0)
    };
    exactly().or_else(roughly).unwrap_or_default()
}

/// A number as digits and how many places they are moved: `0.07` is 7 and -2.
fn decimal(number: &Number) -> Option<(i128, i32)> {
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let places = i32::try_from(fraction.len()).ok()?;
    let exponent: i32 = exponent.trim_start_matches('+').parse().ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, exponent.checked_sub(places)?))
}
