//! `health`

use std::num::NonZeroU32;
use std::time::Duration;

use ::http::StatusCode;

use super::common::{count, duration, path, secret_headers, sections};
use super::web_url;
use crate::section::Section;
use crate::{ConfigError, FileCheck, HealthConfig, HealthPace, HttpCheck, ListenAddress, TcpCheck, Warning};

pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<HealthConfig, ConfigError> {
    let storage = storage(section.section("storagedriver")?, warnings)?;
    let expected = "a list of checks";
    let files = sections(&mut section, "file", expected, |item| file(item, warnings))?;
    let http = sections(&mut section, "http", expected, |item| http(item, warnings))?;
    let tcp = sections(&mut section, "tcp", expected, |item| tcp(item, warnings))?;
    section.finish(warnings);
    Ok(HealthConfig { storage, files, http, tcp })
}

fn storage(mut section: Section, warnings: &mut Vec<Warning>) -> Result<Option<HealthPace>, ConfigError> {
    let enabled = section.boolean("enabled")?.unwrap_or(false);
    let pace = pace(&mut section, warnings)?;
    section.finish(warnings);
    Ok(enabled.then_some(pace))
}

fn pace(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<HealthPace, ConfigError> {
    let interval = duration(section, "interval", warnings)?.filter(|interval| !interval.is_zero());
    Ok(HealthPace {
        interval: interval.unwrap_or(Duration::from_secs(10)),
        threshold: count(section, "threshold")?.unwrap_or(NonZeroU32::MIN),
    })
}

/// `None` for no limit.
fn timeout(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<Option<Duration>, ConfigError> {
    Ok(duration(section, "timeout", warnings)?.filter(|timeout| !timeout.is_zero()))
}

fn file(mut section: Section, warnings: &mut Vec<Warning>) -> Result<FileCheck, ConfigError> {
    let file = path(&mut section, "file")?;
    let check = FileCheck {
        path: section.required("file", "the path of a file", file)?,
        pace: pace(&mut section, warnings)?,
    };
    section.finish(warnings);
    Ok(check)
}

fn http(mut section: Section, warnings: &mut Vec<Warning>) -> Result<HttpCheck, ConfigError> {
    const URI: &str = "an http or https URL without credentials, such as https://service.example/alive";
    let uri = section.parse("uri", URI, check_url)?;
    let check = HttpCheck {
        uri: section.required("uri", URI, uri)?,
        headers: secret_headers(section.section("headers")?)?,
        status: section
            .parse("statuscode", "an HTTP status from 100 to 599", status)?
            .flatten()
            .unwrap_or(StatusCode::OK),
        timeout: timeout(&mut section, warnings)?,
        pace: pace(&mut section, warnings)?,
    };
    section.finish(warnings);
    Ok(check)
}

/// Here a query has a meaning.
fn check_url(text: &str) -> Option<String> {
    let base = text.split_once('?').map_or(text, |(base, _)| base);
    web_url(base).filter(|_| !text.contains(['@', '#'])).map(|_| text.to_owned())
}

/// `Some(None)` for zero, which says nothing.
#[expect(clippy::option_option, reason = "the outer one is whether it is a status or zero at all")]
fn status(text: &str) -> Option<Option<StatusCode>> {
    if text == "0" {
        return Some(None);
    }
    StatusCode::from_bytes(text.as_bytes()).ok().filter(|status| status.as_u16() < 600).map(Some)
}

fn tcp(mut section: Section, warnings: &mut Vec<Warning>) -> Result<TcpCheck, ConfigError> {
    const ADDR: &str = "host:port, such as cache.example:6379";
    let is_complete = |text: &str| ListenAddress::parse(text).is_some_and(|address| !address.host.is_empty());
    let address = section.parse("addr", ADDR, |text| is_complete(text).then(|| text.to_owned()))?;
    let check = TcpCheck {
        address: section.required("addr", ADDR, address)?,
        timeout: timeout(&mut section, warnings)?,
        pace: pace(&mut section, warnings)?,
    };
    section.finish(warnings);
    Ok(check)
}
