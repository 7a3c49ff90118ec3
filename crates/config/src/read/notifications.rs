//! `notifications`

use std::num::NonZeroU32;
use std::time::Duration;

use ::http::Uri;
use secrecy::SecretString;

use super::common::{count, duration, parse_hidden, path, secret_headers, sections};
use super::word;
use crate::quantity::size;
use crate::section::Section;
use crate::{ConfigError, EndpointConfig, EventAction, NotificationsConfig, Warning};

const ACTIONS: [(&str, EventAction); 4] = [
    ("pull", EventAction::Pull),
    ("push", EventAction::Push),
    ("mount", EventAction::Mount),
    ("delete", EventAction::Delete),
];

pub(super) fn read(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<NotificationsConfig, ConfigError> {
    let mut events = section.section("events")?;
    let include_references = events.boolean("includereferences")?.unwrap_or(false);
    events.finish(warnings);
    let endpoints =
        sections(&mut section, "endpoints", "a list of endpoints", |item| endpoint(item, warnings))?;
    let mut queue = section.section("queue")?;
    let queue_directory = path(&mut queue, "directory")?;
    let at_least = |size: &u64| *size >= NotificationsConfig::LEAST_SIZE;
    let queue_size =
        queue.parse("maxsize", "a number of bytes, at least 1MiB", |text| size(text).filter(at_least))?;
    queue.finish(warnings);
    section.finish(warnings);
    Ok(NotificationsConfig {
        include_references,
        endpoints: endpoints.into_iter().flatten().collect(),
        queue_size: queue_size.unwrap_or(match queue_directory {
            Some(_) => NotificationsConfig::SIZE_IN_DIRECTORY,
            None => NotificationsConfig::SIZE_IN_MEMORY,
        }),
        queue_directory,
    })
}

/// `None` for one that is disabled, which must be sound all the same.
fn endpoint(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<EndpointConfig>, ConfigError> {
    const SECOND: Duration = Duration::from_secs(1);
    const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
    const URL: &str = "an http or https URL, such as https://events.example.org/registry";
    let disabled = section.boolean("disabled")?.unwrap_or(false);
    let url = section.take("url").map_or(Ok(None), |url| parse_hidden(url, URL, web_url_with_host))?;
    let (url, host) = section.required("url", URL, url)?;

    let mut ignored_media_types = section.texts("ignoredmediatypes")?;
    let mut ignore = section.section("ignore")?;
    ignored_media_types.extend(ignore.texts("mediatypes")?);
    let ignored_actions =
        ignore.list("actions", "pull, push, mount or delete", |text| word(text, &ACTIONS))?;
    ignore.finish(warnings);

    let unless_zero = |duration: Option<Duration>| duration.filter(|time| !time.is_zero()).unwrap_or(SECOND);
    let endpoint = EndpointConfig {
        name: section.text("name")?.unwrap_or(host),
        url,
        headers: secret_headers(section.section("headers")?)?,
        timeout: unless_zero(duration(&mut section, "timeout", warnings)?),
        threshold: count(&mut section, "threshold")?.unwrap_or(TEN),
        backoff: unless_zero(duration(&mut section, "backoff", warnings)?),
        ignored_media_types,
        ignored_actions: ignored_actions.unwrap_or_default(),
    };
    section.finish(warnings);
    Ok((!disabled).then_some(endpoint))
}

/// The URL, which here may hold credentials, and its host.
fn web_url_with_host(url: &str) -> Option<(SecretString, String)> {
    let uri: Uri = url.parse().ok()?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.host().filter(|host| is_web && !host.is_empty())?;
    Some((SecretString::from(url), host.to_owned()))
}
