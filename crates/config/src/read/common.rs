//! What several rooms read in the same way: durations, counts, paths, lists of mappings, headers, words in place of sections, and
//! keys without effect.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::section::{Field, Section};
use crate::tree::{Entry, Node, Value};
use crate::{ConfigError, Warning, quantity};

/// A duration; warns of one below a millisecond, whose writer forgot the unit.
pub(super) fn duration(
    section: &mut Section,
    name: &'static str,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Duration>, ConfigError> {
    let key = section.given(name);
    let duration = section.parse(name, "a duration, such as 30s or 1m30s", quantity::duration)?;
    if let (Some(key), Some(duration)) = (key, duration)
        && !duration.is_zero()
        && duration < Duration::from_millis(1)
    {
        warnings.push(key.warning("a bare number is nanoseconds, as in registry:2; for seconds write 30s"));
    }
    Ok(duration)
}

/// A whole number, which may be negative.
pub(super) fn number(section: &mut Section, name: &'static str) -> Result<Option<i64>, ConfigError> {
    section.parse(name, "a whole number", quantity::integer)
}

/// How often something may happen; zero and less say nothing, as in registry:2.
pub(super) fn count(section: &mut Section, name: &'static str) -> Result<Option<NonZeroU32>, ConfigError> {
    let positive = |number| NonZeroU32::new(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(number(section, name)?.filter(|number| *number > 0).and_then(positive))
}

pub(super) fn path(section: &mut Section, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
    Ok(section.text(name)?.map(PathBuf::from))
}

/// A list of mappings, each of which `read` takes apart.
pub(super) fn sections<T>(
    section: &mut Section,
    name: &'static str,
    expected: &str,
    mut read: impl FnMut(Section) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let items = section.take(name).map_or(Ok(None), |field| field.items(expected))?;
    items.unwrap_or_default().into_iter().map(|item| read(item.section()?)).collect()
}

/// A word in place of a section that has alternatives: `storage: inmemory` is short for `storage: {inmemory: }`.
pub(super) fn spell_out(mut field: Field) -> Field {
    if let Value::Scalar(word) = &field.node.value
        && word.is_set()
    {
        let place = field.node.place.clone();
        let entry = Entry { key: word.text.clone(), key_place: place.clone(), node: Node::null(place) };
        field.node.value = Value::Mapping(vec![entry]);
    }
    field
}

/// A mapping of names of headers to their values, each a list of texts or a single one.
pub(super) fn headers(mut section: Section) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for field in section.take_rest() {
        let Ok(name) = HeaderName::try_from(field.key.name.as_str()) else {
            return Err(field.key.unsupported("not the name of a header"));
        };
        for value in values(field)? {
            headers.append(name.clone(), value);
        }
    }
    Ok(headers)
}

/// As [`headers`], with every value marked as a secret.
pub(super) fn secret_headers(section: Section) -> Result<HeaderMap, ConfigError> {
    let mut headers = headers(section)?;
    headers.values_mut().for_each(|value| value.set_sensitive(true));
    Ok(headers)
}

fn values(field: Field) -> Result<Vec<HeaderValue>, ConfigError> {
    let items = match field.node.value {
        Value::Scalar(_) => vec![field],
        _ => field.items("a list of texts")?.unwrap_or_default(),
    };
    items.into_iter().filter_map(|item| value(item).transpose()).collect()
}

fn value(field: Field) -> Result<Option<HeaderValue>, ConfigError> {
    parse_hidden(field, "the value of a header", |text| HeaderValue::try_from(text).ok())
}

/// As [`Section::parse`], but no error shows what was found: it may hold a secret.
pub(super) fn parse_hidden<T>(
    field: Field,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ConfigError> {
    let (place, key) = (field.node.place.clone(), field.key.path.clone());
    let Some(text) = field.text()? else { return Ok(None) };
    let unfit = || ConfigError::Invalid {
        place,
        key,
        found: "something else".to_owned(),
        expected: expected.to_owned(),
    };
    parse(&text).map(Some).ok_or_else(unfit)
}

/// A warning that a key of registry:2 is understood, but that there is nothing for it to do.
pub(super) fn no_effect(section: &Section, name: &str, reason: &str, warnings: &mut Vec<Warning>) {
    warnings.extend(section.given(name).map(|key| key.warning(&format!("no effect: {reason}"))));
}

/// A path of a URL.
pub(super) fn http_path(text: &str) -> Option<String> {
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    (text.starts_with('/') && text.bytes().all(in_path)).then(|| text.to_owned())
}
