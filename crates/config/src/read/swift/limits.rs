//! How long Swift is waited for, how much is asked of it at once, and what it can where it does not say so itself. Every
//! number has bounds: beyond them it would be a slip of the hand, such as `10` where `10s` was meant.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::section::Section;
use crate::{ConfigError, SwiftCapabilities, Warning, quantity};

const SECOND: Duration = Duration::from_secs(1);

/// A time-out of one stage of a request.
pub(super) fn short_time(section: &mut Section, name: &'static str) -> Result<Option<Duration>, ConfigError> {
    time(section, name, "a time from 1s to 10m, such as 30s", SECOND..=Duration::from_mins(10))
}

/// The time-out of all tries of a request together.
pub(super) fn total_time(section: &mut Section) -> Result<Option<Duration>, ConfigError> {
    time(section, "totaltimeout", "a time from 1s to 1h, such as 2m", SECOND..=Duration::from_hours(1))
}

/// Tries of a request.
pub(super) fn tries(section: &mut Section) -> Result<Option<u32>, ConfigError> {
    number(section, "maxtries", "a number from 1 to 20", 1..=20)
}

/// Requests under way at once. Some need another one to come to their end, so there is a least number.
pub(super) fn requests(section: &mut Section) -> Result<Option<usize>, ConfigError> {
    number(section, "maxrequests", "a number from 16 to 10000", 16..=10_000)
}

/// What the cluster can.
pub(super) fn capabilities(
    section: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<SwiftCapabilities, ConfigError> {
    const FILE_SIZE: &str = "a number of bytes, at least 1048576, such as 5GiB";
    const SEGMENT_SIZE: &str = "a number of bytes, such as 1048576 or 1MiB";
    let mut section = section.section("capabilities")?.ignore_case()?;
    let capabilities = SwiftCapabilities {
        max_file_size: section.parse("maxfilesize", FILE_SIZE, |text| {
            quantity::size(text).filter(|bytes| *bytes >= super::MIN_CHUNK)
        })?,
        container_listing_limit: number(
            &mut section,
            "containerlistinglimit",
            "a number from 1 to 100000",
            1..=100_000,
        )?,
        max_manifest_segments: count(&mut section, "maxmanifestsegments")?,
        min_segment_size: section.parse("minsegmentsize", SEGMENT_SIZE, quantity::size)?,
        max_deletes_per_request: count(&mut section, "maxdeletesperrequest")?,
        conditional_writes: section.boolean("conditionalwrites")?,
    };
    section.finish(warnings);
    Ok(capabilities)
}

/// How many of something there may be; 0 where the cluster does not know it at all.
fn count(section: &mut Section, name: &'static str) -> Result<Option<usize>, ConfigError> {
    number(section, name, "a number from 0, for none, to 100000", 0..=100_000)
}

fn time(
    section: &mut Section,
    name: &'static str,
    expected: &str,
    bounds: RangeInclusive<Duration>,
) -> Result<Option<Duration>, ConfigError> {
    section.parse(name, expected, |text| quantity::duration(text).filter(|time| bounds.contains(time)))
}

fn number<T: std::str::FromStr + PartialOrd>(
    section: &mut Section,
    name: &'static str,
    expected: &str,
    bounds: RangeInclusive<T>,
) -> Result<Option<T>, ConfigError> {
    section.parse(name, expected, |text| text.parse().ok().filter(|number| bounds.contains(number)))
}
