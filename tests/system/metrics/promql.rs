//! What an expression of PromQL names: metrics, the labels that it selects by, and those that it groups by. Whether it is one is
//! Prometheus's matter; what is not understood here counts as a metric, which then does not exist.

use std::iter::Peekable;
use std::str::CharIndices;

/// What an expression names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Names {
    /// Each metric, as often as it stands there.
    pub(super) metrics: Vec<Selected>,
    /// Labels of `by`, `on` and the like.
    pub(super) groups: Vec<String>,
}

/// A metric and its matchers: label, operator, value.
#[derive(Debug, PartialEq)]
pub(super) struct Selected {
    pub(super) metric: String,
    pub(super) matchers: Vec<[String; 3]>,
}

const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 7] = ["and", "or", "unless", "bool", "offset", "inf", "nan"];
/// Those that may stand before `by`.
const AGGREGATIONS: [&str; 7] = ["sum", "count", "min", "max", "avg", "topk", "quantile"];

/// Reads an expression.
pub(super) fn read(expression: &str) -> Names {
    let mut names = Names::default();
    let mut tokens = tokens(expression).into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "[" => while tokens.next().is_some_and(|token| token != "]") {},
            "{" => {
                let matchers = matchers(&mut tokens);
                names.metrics.last_mut().expect("a metric before its labels").matchers = matchers;
            }
            word if GROUPINGS.contains(&word) => names.groups.extend(list(&mut tokens)),
            word if !word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') => {}
            word if OPERATORS.contains(&word) || AGGREGATIONS.contains(&word) => {}
            _ if tokens.peek().is_some_and(|next| next == "(") => {}
            metric => names.metrics.push(Selected { metric: metric.to_owned(), matchers: Vec::new() }),
        }
    }
    names
}

/// `(a, b)`, or nothing.
fn list(tokens: &mut Peekable<std::vec::IntoIter<String>>) -> Vec<String> {
    if tokens.next_if(|token| token == "(").is_none() {
        return Vec::new();
    }
    tokens.by_ref().take_while(|token| token != ")").filter(|token| token != ",").collect()
}

/// Up to the closing brace.
fn matchers(tokens: &mut Peekable<std::vec::IntoIter<String>>) -> Vec<[String; 3]> {
    let all: Vec<String> = tokens.by_ref().take_while(|token| token != "}").collect();
    let matchers = all.split(|token| token == ",").filter(|matcher| !matcher.is_empty());
    matchers.map(|matcher| matcher.to_vec().try_into().expect("label, operator, value")).collect()
}

/// Words, numbers and durations, strings without their quotes, operators.
fn tokens(expression: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut letters = expression.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = match letter {
            _ if letter.is_whitespace() => continue,
            '"' => {
                let end = letters.find(|(_, letter)| *letter == '"').expect("a string ends").0;
                tokens.push(expression[at + 1..end].to_owned());
                continue;
            }
            _ if in_word(letter) => end_of(&mut letters, expression, in_word),
            '=' | '!' | '~' | '<' | '>' => end_of(&mut letters, expression, |next| "=~".contains(next)),
            _ => at + letter.len_utf8(),
        };
        tokens.push(expression[at..end].to_owned());
    }
    tokens
}

fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_:.".contains(letter)
}

fn end_of(letters: &mut Peekable<CharIndices<'_>>, text: &str, belongs: impl Fn(char) -> bool) -> usize {
    while letters.next_if(|(_, letter)| belongs(*letter)).is_some() {}
    letters.peek().map_or(text.len(), |(at, _)| *at)
}

#[test]
fn what_an_expression_names_is_found() {
    let names = read(
        "(sum by (job, le) (rate(a_total{code=~\"5..|none\", job=\"x{y}\"}[5m])) or vector(0)) / b > 0.5e1
           and on (instance) c{} unless count(d offset 5m)",
    );
    let metrics: Vec<&str> = names.metrics.iter().map(|selected| selected.metric.as_str()).collect();
    assert_eq!(metrics, ["a_total", "b", "c", "d"]);
    assert_eq!(
        names.metrics[0].matchers,
        [["code", "=~", "5..|none"], ["job", "=", "x{y}"]].map(|matcher| matcher.map(str::to_owned))
    );
    assert_eq!(names.groups, ["job", "le", "instance"]);
}
