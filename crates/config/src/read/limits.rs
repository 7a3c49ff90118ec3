//! `limits`, which is Apus's own: how much clients may ask for.

use super::common::count;
use crate::section::Section;
use crate::{ConfigError, LimitsConfig, Warning};

pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<LimitsConfig, ConfigError> {
    let mut client = section.section("client")?;
    let burst = client.given("burst");
    let limits = LimitsConfig {
        client_requests: count(&mut client, "requestspersecond")?,
        client_burst: count(&mut client, "burst")?,
        client_uploads: count(&mut client, "uploads")?,
        uploads: count(&mut section, "uploads")?,
    };
    client.finish(warnings);
    section.finish(warnings);
    if let (None, Some(_), Some(key)) = (limits.client_requests, limits.client_burst, burst) {
        warnings.push(key.warning("without effect, for there is no requestspersecond"));
    }
    Ok(limits)
}
